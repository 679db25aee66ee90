import { useEffect, useState } from 'react';
import { host } from '../../bridge.ts';
import { formatBytes } from '../../format/quantities.ts';
import { useEngineReady } from '../../stores/vm.ts';

/** Each volume is read whole: told in parts, so that a large one does not hold all others up. */
const batch = 8;

/** Of these volumes together; undefined while one of them is not measured. */
export function totalOf(names: readonly string[], sizes: ReadonlyMap<string, number>): number | undefined {
  const known = names.flatMap((name) => sizes.get(name) ?? []);
  return known.length < names.length ? undefined : known.reduce((sum, size) => sum + size, 0);
}

export const sizeText = (bytes: number | undefined): string => (bytes === undefined ? '…' : formatBytes(bytes));

/** Bytes by name, as far as they are known by now. Measured once for these names: files change all the time. */
export function useVolumeSizes(names: readonly string[]): ReadonlyMap<string, number> {
  const ready = useEngineReady();
  const [sizes, setSizes] = useState<ReadonlyMap<string, number>>(new Map());
  const key = JSON.stringify(names);
  useEffect(() => {
    if (!ready) return;
    const abort = new AbortController();
    const measure = async () => {
      const wanted = JSON.parse(key) as string[];
      for (let at = 0; at < wanted.length; at += batch) {
        const part = wanted.slice(at, at + batch);
        const measured = await host.call('volumes.sizes', { names: part }, abort.signal);
        setSizes((before) => new Map([...before, ...measured.sizes.map((one) => [one.name, one.sizeBytes] as const)]));
      }
    };
    // A size that is not told is left out: the list is no place for why.
    measure().catch(() => undefined);
    return () => abort.abort();
  }, [key, ready]);
  return sizes;
}
