import type { Removal } from '../../src-main/contract/removal.ts';
import { formatCount } from '../format/quantities.ts';
import { visibleText } from '../format/unsafe-text.ts';
import { showToast } from '../stores/toasts.ts';

/** Says how a removal of several went. `nameOf` turns what was asked for into what the user knows. */
export function tellRemoval({ removed, kept }: Removal, noun: string, nameOf: (asked: string) => string): void {
  const [only] = removed;
  if (removed.length === 1 && only !== undefined) {
    showToast({ tone: 'good', title: `Removed ${visibleText(nameOf(only), 60)}` });
  } else if (removed.length > 1) {
    showToast({ tone: 'good', title: `Removed ${formatCount(removed.length, noun)}` });
  }
  const [first] = kept;
  if (first) showToast({ tone: 'bad', title: `Kept ${formatCount(kept.length, noun)}`, detail: first.reason });
}
