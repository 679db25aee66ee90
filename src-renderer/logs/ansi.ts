/**
 * ANSI escape sequences in log lines, turned into styled spans. Colours and the common attributes are kept, every other
 * sequence is taken out; nothing is ever interpreted as markup. Pure.
 */

/** A colour: 0–15 from the theme's palette, or `rgb(…)`. */
export type AnsiColor = number | string;

export interface AnsiStyle {
  readonly fg?: AnsiColor;
  readonly bg?: AnsiColor;
  readonly bold?: true;
  readonly dim?: true;
  readonly italic?: true;
  readonly underline?: true;
  readonly inverse?: true;
  readonly strike?: true;
}

export interface AnsiSpan {
  readonly text: string;
  readonly style: AnsiStyle;
}

export const plainStyle: AnsiStyle = Object.freeze({});

/** CSI, OSC (ended by BEL or ST), other string sequences, and two-character escapes; the last also when cut off. */
const escapes =
  // eslint-disable-next-line no-control-regex -- escape sequences are what this is about
  /(?:\u001b\[|\u009b)([0-?]*)([ -/]*)([@-~])|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[PX^_][^\u001b]*(?:\u001b\\)?|\u001b[ -/]*[0-~]?/g;

export function hasEscapes(text: string): boolean {
  return text.includes('\u001b') || text.includes('\u009b');
}

/** The text as read: no sequences, and of a line redrawn with carriage returns what a terminal would show last. */
export function stripAnsi(text: string): string {
  return lastDraw(hasEscapes(text) ? text.replace(escapes, '') : text);
}

/** What a terminal shows of `10%\r20%\r`: the last part drawn that is not empty. */
function lastDraw(text: string): string {
  if (!text.includes('\r')) return text;
  const parts = text.split('\r').filter((part) => part !== '');
  return parts.at(-1) ?? '';
}

/** The spans of one line and the style in force after it, which the next line of the same stream starts with. */
export function parseAnsi(
  text: string,
  start: AnsiStyle,
): { readonly spans: readonly AnsiSpan[]; readonly end: AnsiStyle } {
  if (!hasEscapes(text)) return { spans: [{ text: lastDraw(text), style: start }], end: start };
  let spans: AnsiSpan[] = [];
  let style = start;
  let from = 0;
  // After a carriage return the next text, if any comes, is drawn over what is there.
  let returned = false;
  const take = (part: string) => {
    for (const [index, piece] of part.split('\r').entries()) {
      returned ||= index > 0;
      if (piece === '') continue;
      if (returned) spans = [];
      returned = false;
      spans.push({ text: piece, style });
    }
  };
  for (const match of text.matchAll(escapes)) {
    take(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[3] === 'm' && match[2] === '') style = applySgr(match[1] ?? '', style);
  }
  take(text.slice(from));
  return { spans, end: style };
}

/** The style after a line, without building its spans. */
export function styleAfter(text: string, start: AnsiStyle): AnsiStyle {
  let style = start;
  for (const match of text.matchAll(escapes)) {
    if (match[3] === 'm' && match[2] === '') style = applySgr(match[1] ?? '', style);
  }
  return style;
}

type Mutable = { -readonly [K in keyof AnsiStyle]: AnsiStyle[K] };

function applySgr(parameters: string, before: AnsiStyle): AnsiStyle {
  const codes = parameters.split(/[;:]/).map((part) => (part === '' ? 0 : Number(part)));
  let style: Mutable = { ...before };
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 0) style = {};
    else if (code === 38 || code === 48) {
      const [color, used] = extendedColor(codes, index + 1);
      if (color !== undefined) style[code === 38 ? 'fg' : 'bg'] = color;
      index += used;
    } else applyCode(style, code);
  }
  return style;
}

function applyCode(style: Mutable, code: number): void {
  if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 3) style.italic = true;
  else if (code === 4) style.underline = true;
  else if (code === 7) style.inverse = true;
  else if (code === 9) style.strike = true;
  else if (code === 22) {
    delete style.bold;
    delete style.dim;
  } else if (code === 23) delete style.italic;
  else if (code === 24) delete style.underline;
  else if (code === 27) delete style.inverse;
  else if (code === 29) delete style.strike;
  else if (code >= 30 && code <= 37) style.fg = code - 30;
  else if (code === 39) delete style.fg;
  else if (code >= 40 && code <= 47) style.bg = code - 40;
  else if (code === 49) delete style.bg;
  else if (code >= 90 && code <= 97) style.fg = code - 82;
  else if (code >= 100 && code <= 107) style.bg = code - 92;
}

/** `5;n` or `2;r;g;b` after 38 or 48: the colour and how many codes it took. */
function extendedColor(codes: readonly number[], at: number): readonly [AnsiColor | undefined, number] {
  if (codes[at] === 5) return [paletteColor(codes[at + 1]), 2];
  if (codes[at] !== 2) return [undefined, 0];
  const parts = codes.slice(at + 1, at + 4);
  const valid = parts.length === 3 && parts.every((part) => part >= 0 && part <= 255);
  return [valid ? `rgb(${parts.join(',')})` : undefined, 4];
}

/** The 256-colour table: 16 from the theme, a 6×6×6 cube, 24 greys. */
function paletteColor(index: number | undefined): AnsiColor | undefined {
  if (index === undefined || !(index >= 0 && index <= 255)) return undefined;
  if (index < 16) return index;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `rgb(${grey},${grey},${grey})`;
  }
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  const cube = index - 16;
  return `rgb(${level(Math.floor(cube / 36))},${level(Math.floor(cube / 6) % 6)},${level(cube % 6)})`;
}
