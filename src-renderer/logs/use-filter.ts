import { useEffect, useMemo, useState } from 'react';
import type { LogBuffer } from './log-buffer.ts';
import { FilteredLog, type LineFilter } from './log-filter.ts';

const sliceMs = 8;

interface FilteredState {
  readonly buffer: LogBuffer;
  /** Grows with every change of what is shown. */
  readonly version: number;
}

/** The log itself without a filter; else its passing lines, found in slices between frames and as it grows. */
export function useFilter(source: LogBuffer, version: number, filter: LineFilter): FilteredState {
  const { stream, level } = filter;
  const filtered = useMemo(
    () => (stream === 'all' && level === 'all' ? undefined : new FilteredLog(source, { stream, level })),
    [source, stream, level],
  );
  const [own, setOwn] = useState(0);
  useEffect(() => {
    if (!filtered) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const slice = () => {
      filtered.scan(sliceMs);
      setOwn((before) => before + 1);
      if (!filtered.complete) timer = setTimeout(slice, 0);
    };
    slice();
    return () => clearTimeout(timer);
  }, [filtered, version]);
  return filtered ? { buffer: filtered.buffer, version: own } : { buffer: source, version };
}
