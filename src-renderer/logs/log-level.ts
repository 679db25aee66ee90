/** How grave a log line says it is. There is no standard: the common ways of saying it are known, all else is none. Pure. */

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A level stands at the front of a line, or among the first fields of JSON. */
const lookedAt = 512;

const words: Readonly<Record<string, LogLevel>> = {
  trace: 'debug',
  trc: 'debug',
  debug: 'debug',
  dbg: 'debug',
  verbose: 'debug',
  info: 'info',
  inf: 'info',
  information: 'info',
  notice: 'info',
  log: 'info',
  warn: 'warn',
  wrn: 'warn',
  warning: 'warn',
  error: 'error',
  err: 'error',
  fatal: 'error',
  ftl: 'error',
  critical: 'error',
  crit: 'error',
  panic: 'error',
  alert: 'error',
  emerg: 'error',
  emergency: 'error',
  severe: 'error',
};
const names = Object.keys(words).join('|');

/** `"level":"warn"`, `"severity": "ERROR"`, `level=warn`, `lvl="info"`. */
const field = new RegExp(`(?:^|[\\s{,"])(?:level|lvl|severity|loglevel|log\\.level)"?\\s*[=:]\\s*"?(${names})\\b`, 'i');
/** pino and bunyan: 10 trace … 60 fatal. */
const numberField = /[{,]\s*"level"\s*:\s*(\d\d)\b/;
/** `[error]`, `<warn>`, `(INFO)`, in any case. */
const bracketed = new RegExp(`[[<(](${names})[\\]>)]`, 'i');
/** `ERROR`, `WARN:`; a word in small letters may be anything (`no error`), unless it begins the line with a colon. */
const shouted = new RegExp(`(?:^|[\\s|])(${names.toUpperCase()})(?=$|[\\s:|,])`);
const leading = new RegExp(`^(${names}):`, 'i');

/** @param text without escape sequences */
export function levelOf(text: string): LogLevel | undefined {
  const front = text.slice(0, lookedAt);
  const number = numberField.exec(front)?.[1];
  if (number !== undefined)
    return Number(number) >= 50 ? 'error' : Number(number) >= 40 ? 'warn' : Number(number) >= 30 ? 'info' : 'debug';
  for (const way of [field, bracketed, shouted, leading]) {
    const word = way.exec(front)?.[1];
    if (word !== undefined) return words[word.toLowerCase()];
  }
  return undefined;
}
