import { useEffect, useRef, type RefObject } from 'react';

/** For an option of a list that keys move through: the active one is scrolled to. */
export function useKeptInView(active: boolean): RefObject<HTMLDivElement | null> {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active) element.current?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return element;
}
