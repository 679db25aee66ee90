/** Commands of a Dockerfile: `["a", "b"]`, or a text for the shell. */
export type Command =
  { readonly form: 'exec'; readonly words: readonly string[] } | { readonly form: 'shell'; readonly text: string };

export function readCommand(text: string, fail: (message: string) => Error): Command {
  const words = jsonWords(text, fail);
  return words === undefined ? { form: 'shell', text } : { form: 'exec', words };
}

/** The JSON form; undefined when it is none, and then means words or a text. */
export function jsonWords(text: string, fail: (message: string) => Error): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  return value.map((word: unknown) => {
    if (typeof word !== 'string') {
      throw fail('when using JSON array syntax, arrays must be comprised of strings only');
    }
    return word;
  });
}
