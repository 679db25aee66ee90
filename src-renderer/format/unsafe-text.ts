/**
 * Makes text from outside (names, labels, log lines) safe to show: markup is already inert in React, so what is left are
 * characters that are invisible, move the cursor or turn the reading direction. They are replaced by visible signs.
 */

/** C0 and C1 controls, and the characters that change direction or hide: what a name has no business holding. */
// eslint-disable-next-line no-control-regex -- finding control characters is the purpose
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A visible sign for one unsafe character: the control pictures block for C0, the code point for the rest. */
function visibleSign(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `\u27e8${code.toString(16).toUpperCase().padStart(4, '0')}\u27e9`;
}

/** The text on one line with every unsafe character made visible, cut to `limit` characters. */
export function visibleText(text: string, limit = 300): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(unsafe, visibleSign);
}

/** The same for a log line: tabs stay, nothing is cut. */
export function visibleLine(text: string): string {
  return text.replace(unsafe, (character) => (character === '\t' ? character : visibleSign(character)));
}
