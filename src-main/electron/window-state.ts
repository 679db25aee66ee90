/** Where the window was and how large, from one run to the next. */
import { readFileSync } from 'node:fs';
import type { Rectangle } from 'electron';
import { z } from 'zod';

export interface WindowState extends Rectangle {
  readonly maximized: boolean;
}

const schema = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(1).max(32_767),
  height: z.int().min(1).max(32_767),
  maximized: z.boolean(),
});

export const smallestWindow = { width: 880, height: 560 };
const firstSize = { width: 1240, height: 800 };
/** So much of the window must be on a display for it to count as being there. */
const visiblePart = 100;

/** What was kept, or undefined when there is nothing, or nothing readable: then the window opens as the first time. */
export function readWindowState(file: string): WindowState | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * Where to open: as before if that is still on one of the displays, else in the middle of the first.
 * @param displays work areas, the primary one first
 */
export function placeWindow(
  kept: WindowState | undefined,
  displays: readonly Rectangle[],
): { readonly bounds: Partial<Rectangle> & { width: number; height: number }; readonly maximized: boolean } {
  const [primary] = displays;
  const fit = (size: { width: number; height: number }, area: Rectangle | undefined) => ({
    width: Math.max(Math.min(size.width, area?.width ?? size.width), smallestWindow.width),
    height: Math.max(Math.min(size.height, area?.height ?? size.height), smallestWindow.height),
  });
  const display = kept && displays.find((area) => overlaps(kept, area));
  if (!kept || !display) return { bounds: fit(kept ?? firstSize, primary), maximized: kept?.maximized ?? false };
  return { bounds: { x: kept.x, y: kept.y, ...fit(kept, display) }, maximized: kept.maximized };
}

/** The title bar must be within reach, or the window could not be moved. */
function overlaps(window: Rectangle, area: Rectangle): boolean {
  const shown = Math.min(window.x + window.width, area.x + area.width) - Math.max(window.x, area.x);
  return shown >= visiblePart && window.y >= area.y - 10 && window.y <= area.y + area.height - visiblePart;
}
