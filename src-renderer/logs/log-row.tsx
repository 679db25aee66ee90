import { memo, useState, type CSSProperties, type ReactNode } from 'react';
import { visibleLine, visibleText } from '../format/unsafe-text.ts';
import { showError } from '../stores/toasts.ts';
import { parseAnsi, type AnsiColor, type AnsiSpan, type AnsiStyle } from './ansi.ts';
import type { LogClient } from './log-client.ts';
import type { ShownLine } from './log-protocol.ts';

interface LogRowProps {
  readonly log: LogClient;
  readonly line: ShownLine;
  readonly times: boolean;
  /** The name of the container it is of, among several. */
  readonly origin: string | undefined;
  /** Whether the search stands on it. */
  readonly current: boolean;
}

export const LogRow = memo(function LogRow({ log, line, times, origin, current }: LogRowProps) {
  const [whole, setWhole] = useState<string>();
  const { json, start, hits, cutChars } = line;
  const spans = json === undefined ? parseAnsi(whole ?? line.text, start).spans : [{ text: json, style: start }];
  const showWhole = () => {
    log.whole(line.number).then(setWhole, (error: unknown) => showError('Could not show the whole line', error));
  };
  return (
    <>
      {times ? <time className="log-time">{clockTime(line.time)}</time> : null}
      {origin === undefined ? null : (
        <span className={`log-origin origin-${line.origin % 8}`} title={visibleText(origin)}>
          {visibleText(origin, 40)}
        </span>
      )}
      <span className={json === undefined ? 'log-text' : 'log-text json'}>
        {hits.length === 0 ? spans.map((span, index) => piece(span, index)) : marked(spans, hits, current)}
        {cutChars > 0 && whole === undefined ? (
          <button type="button" className="log-more" onClick={showWhole}>
            … {Math.round(cutChars / 1000)} kB more
          </button>
        ) : null}
      </span>
    </>
  );
});

function piece(span: AnsiSpan, key: number): ReactNode {
  const text = span.text.split('\n').map(visibleLine).join('\n');
  const className = classOf(span.style);
  const style = colorsOf(span.style);
  if (className === '' && style === undefined) return text;
  return (
    <span key={key} className={className} {...(style === undefined ? {} : { style })}>
      {text}
    </span>
  );
}

/** The spans cut at the hits, which may begin in one span and end in another. */
function marked(spans: readonly AnsiSpan[], hits: ShownLine['hits'], current: boolean): ReactNode {
  const nodes: ReactNode[] = [];
  let offset = 0;
  for (const span of spans) {
    let from = 0;
    for (const [start, end] of hits) {
      const left = Math.max(0, start - offset);
      const right = Math.min(span.text.length, end - offset);
      if (left >= right) continue;
      if (left > from) nodes.push(piece({ ...span, text: span.text.slice(from, left) }, nodes.length));
      nodes.push(
        <mark key={nodes.length} className={current ? 'current' : ''}>
          {piece({ ...span, text: span.text.slice(left, right) }, 0)}
        </mark>,
      );
      from = right;
    }
    if (from < span.text.length) nodes.push(piece({ ...span, text: span.text.slice(from) }, nodes.length));
    offset += span.text.length;
  }
  return nodes;
}

function classOf({ fg, bg, bold, dim, italic, underline, inverse, strike }: AnsiStyle): string {
  return [
    typeof fg === 'number' ? `fg-${fg}` : isMixed(fg) ? 'fg-mixed' : '',
    typeof bg === 'number' ? `bg-${bg}` : '',
    bold ? 'bold' : '',
    dim ? 'dim' : '',
    italic ? 'italic' : '',
    underline ? 'underline' : '',
    strike ? 'strike' : '',
    inverse ? 'inverse' : '',
  ]
    .filter(Boolean)
    .join(' ');
}

function colorsOf({ fg, bg }: AnsiStyle): (CSSProperties & Record<'--mixed', string>) | CSSProperties | undefined {
  if (!isMixed(fg) && !isMixed(bg)) return undefined;
  return { ...(isMixed(fg) ? { '--mixed': fg } : {}), ...(isMixed(bg) ? { backgroundColor: bg } : {}) };
}

function isMixed(color: AnsiColor | undefined): color is string {
  return typeof color === 'string';
}

/** `08:11:54.123` in the reader's time zone. */
function clockTime(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const two = (value: number) => String(value).padStart(2, '0');
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}
