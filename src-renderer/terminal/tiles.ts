/** Which of a container's terminals are in sight, side by side, and which one has the keys. Pure. */

export interface Tiles {
  /** Terminals from left to right, each once. */
  readonly shown: readonly string[];
  readonly focused: string | undefined;
}

/** More would be too narrow to work in. */
export const maxTiles = 4;

export const noTiles: Tiles = { shown: [], focused: undefined };

/** In the focused one's place, unless it is in sight already. */
export function show({ shown, focused }: Tiles, id: string): Tiles {
  if (shown.includes(id)) return { shown, focused: id };
  if (focused === undefined) return { shown: [id], focused: id };
  return { shown: shown.map((one) => (one === focused ? id : one)), focused: id };
}

/** To the right of the focused one; in its place when there is no room. */
export function split({ shown, focused }: Tiles, id: string): Tiles {
  if (shown.includes(id) || shown.length >= maxTiles) return show({ shown, focused }, id);
  const at = focused === undefined ? shown.length : shown.indexOf(focused) + 1;
  return { shown: shown.toSpliced(at, 0, id), focused: id };
}

/** The focused one alone; the others stay open as tabs. */
export function unsplit({ focused }: Tiles): Tiles {
  return focused === undefined ? noTiles : { shown: [focused], focused };
}

/** Without those that are closed; the newest takes their place when none is left in sight. */
export function keepOpen({ shown, focused }: Tiles, open: readonly string[]): Tiles {
  const left = shown.filter((id) => open.includes(id));
  const newest = open.at(-1);
  if (left.length === 0) return newest === undefined ? noTiles : { shown: [newest], focused: newest };
  return { shown: left, focused: focused !== undefined && left.includes(focused) ? focused : left.at(-1) };
}
