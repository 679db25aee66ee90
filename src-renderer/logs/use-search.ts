import { useEffect, useMemo, useState } from 'react';
import type { LogBuffer } from './log-buffer.ts';
import { compileQuery, LogSearch, type Query } from './log-search.ts';

const sliceMs = 8;

export interface SearchState {
  readonly pattern: RegExp | undefined;
  readonly problem: string | undefined;
  /** Matching lines among the kept ones. */
  readonly numbers: readonly number[];
  readonly scanning: boolean;
  /** The line stood on. */
  readonly current: number | undefined;
  /** Its place among the matches, from 1; 0 for none. */
  readonly place: number;
  readonly step: (by: 1 | -1) => void;
}

const none: readonly number[] = [];

/** Scans in slices between frames, and again as the log grows. */
export function useSearch(buffer: LogBuffer, version: number, query: Query): SearchState {
  const { text, regex } = query;
  const { pattern, problem } = useMemo(() => compileQuery({ text, regex }), [text, regex]);
  const search = useMemo(() => (pattern ? new LogSearch(buffer, pattern) : undefined), [buffer, pattern]);
  const [numbers, setNumbers] = useState<readonly number[]>(none);
  const [scanning, setScanning] = useState(false);
  const [current, setCurrent] = useState<number>();
  useEffect(() => setCurrent(undefined), [search]);
  useEffect(() => {
    if (!search) {
      setNumbers(none);
      setScanning(false);
      return;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const slice = () => {
      search.scan(sliceMs);
      setNumbers([...search.numbers]);
      setScanning(!search.complete);
      if (!search.complete) timer = setTimeout(slice, 0);
    };
    slice();
    return () => clearTimeout(timer);
  }, [search, version]);
  const place = current === undefined ? 0 : numbers.indexOf(current) + 1;
  const step = (by: 1 | -1) => {
    // What was typed a moment ago may not have been looked for yet.
    search?.scan(sliceMs);
    const numbers = search?.numbers ?? none;
    if (numbers.length === 0) return;
    // From nowhere: the newest match first, since the end of a log is where one looks.
    const from = current === undefined ? (by === 1 ? -1 : numbers.length) : numbers.indexOf(current);
    const next = current === undefined ? numbers.length - 1 : (from + by + numbers.length) % numbers.length;
    setCurrent(numbers[next]);
  };
  return { pattern, problem, numbers, scanning, current, place, step };
}
