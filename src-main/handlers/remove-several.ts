import { AppError } from '../contract/errors.ts';
import type { Removal } from '../contract/removal.ts';

/**
 * Exactly these, one after another: what was shown to the user is what goes, whatever the engine's prune would take by
 * now. A refusal is about one of them; anything else would come again with the next, and is thrown.
 */
export async function removeSeveral(
  names: readonly string[],
  remove: (name: string) => Promise<unknown>,
): Promise<Removal> {
  const removed: string[] = [];
  const kept: { name: string; reason: string }[] = [];
  for (const name of names) {
    try {
      await remove(name);
      removed.push(name);
    } catch (error) {
      if (!(error instanceof AppError) || error.status === undefined) throw error;
      kept.push({ name, reason: error.message });
    }
  }
  return { removed, kept };
}
