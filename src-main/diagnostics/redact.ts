/** Takes out of a text what nobody but its owner should read. Pure. */

const hidden = '[removed]';
const secretName = String.raw`[\w.-]*(?:pass(?:word|wd|phrase)?|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|auth)[\w.-]*`;

const rules: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
  // user:password@ of an address.
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${hidden}@`],
  [
    /\b(authorization|proxy-authorization|x-registry-auth|x-registry-config|cookie|set-cookie)(["']?\s*[:=]\s*["']?)[^\r\n"']+/gi,
    `$1$2${hidden}`,
  ],
  [/\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{8,}/gi, `$1 ${hidden}`],
  // NAME=value, --name value and "name": "value", to the end of the word or of the quotes.
  [
    new RegExp(String.raw`(${secretName}["']?\s*[=:]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;"'}\]]+)`, 'gi'),
    `$1${hidden}`,
  ],
  [new RegExp(String.raw`(--?${secretName}\s+)(?!-)\S+`, 'gi'), `$1${hidden}`],
  // The key in the address of the browser's window.
  [/(http:\/\/127\.0\.0\.1:\d+\/#)\S+/g, `$1${hidden}`],
];

/** @param home the user's own folder, which names them; it becomes `~`. */
export function redact(text: string, home: string): string {
  const shown = rules.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
  return home.length > 1 ? shown.replaceAll(home, '~') : shown;
}
