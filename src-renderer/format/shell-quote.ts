/** Words for a POSIX shell (bash, zsh), safe to paste: nothing in them is expanded, run, or acts on the terminal. Pure. */

/** What no shell gives a meaning to, wherever it stands. */
const plain = /^[\w@%+:,./-][\w@%+=:,./-]*$/;

/** Controls, and the characters that turn the direction or hide: written as escapes, so that what is seen is what runs. */
// eslint-disable-next-line no-control-regex -- finding control characters is the purpose
const hidden = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export function quoteWord(word: string): string {
  if (plain.test(word)) return word;
  if (word.search(hidden) === -1) return `'${word.replaceAll("'", `'\\''`)}'`;
  const escaped = word.replace(/[\\']/g, '\\$&').replace(hidden, byteEscapes);
  return `$'${escaped}'`;
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** By bytes: `\u` would depend on the shell's locale. Octal ends after three digits, where `\x` would eat what follows. */
function byteEscapes(character: string): string {
  const name = named[character];
  if (name !== undefined) return name;
  return [...new TextEncoder().encode(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
