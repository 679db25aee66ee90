import { useEffect, useRef, useState } from 'react';
import { stripAnsi } from '../logs/ansi.ts';
import { visibleLine } from '../format/unsafe-text.ts';
import { errorText, followStream } from '../stores/follow-stream.ts';

/** As much of the serial console as is kept on screen. */
const keptChars = 200_000;
const flushMs = 100;

/** The VM's serial console, live; follows the end unless scrolled up. */
export function SerialConsole() {
  const { text, problem } = useConsoleText();
  const pane = useRef<HTMLPreElement>(null);
  const following = useRef(true);
  useEffect(() => {
    if (following.current && pane.current) pane.current.scrollTop = pane.current.scrollHeight;
  }, [text]);
  return (
    <pre
      ref={pane}
      className="serial scroll"
      tabIndex={0}
      aria-label="Serial console"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        following.current = scrollHeight - scrollTop - clientHeight < 24;
      }}
    >
      {text === '' && problem === '' ? <span className="faint">Nothing was written to the console yet.</span> : text}
      {problem === '' ? null : `\n${problem}`}
    </pre>
  );
}

function useConsoleText(): { readonly text: string; readonly problem: string } {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    let raw = '';
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      setText(readable(raw));
    };
    followStream('vm.console', {
      input: () => {
        raw = '';
        return {};
      },
      onItem: ({ data }) => {
        raw = (raw + data).slice(-keptChars);
        timer ??= setTimeout(flush, flushMs);
      },
      signal: abort.signal,
    }).catch((error: unknown) => setProblem(errorText(error)));
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, []);
  return { text, problem };
}

function readable(raw: string): string {
  return stripAnsi(raw.replaceAll('\r\n', '\n').replaceAll('\r', '\n')).split('\n').map(visibleLine).join('\n');
}
