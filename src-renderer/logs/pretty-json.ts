/**
 * A line of JSON on several lines, indented. Only white space between tokens changes: numbers, names and texts stay as
 * they were written, which parsing and writing anew would not promise. Pure.
 */

/** Longer ones are shown as they are: laying them out would stall scrolling. */
const maxChars = 32_768;

/** The indented text; undefined when the line is not one object or list. */
export function prettyJson(line: string): string | undefined {
  const text = line.trim();
  if (text.length > maxChars || !/^[{[]/.test(text) || !isJson(text)) return undefined;
  let out = '';
  let depth = 0;
  const newLine = () => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === '{' || token === '[') {
      depth += 1;
      out += token + newLine();
    } else if (token === '}' || token === ']') {
      depth -= 1;
      // Nothing inside: the line begun after the opening sign is taken back.
      const empty = /[{[]\s*$/.test(out);
      out = (empty ? out.trimEnd() : out + newLine()) + token;
    } else if (token === ',') out += token + newLine();
    else out += token === ':' ? ': ' : token;
  }
  return out;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
