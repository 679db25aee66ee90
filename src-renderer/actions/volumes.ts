/** What the buttons and keys of volumes do. */
import { host } from '../bridge.ts';
import { formatCount } from '../format/quantities.ts';
import { visibleText } from '../format/unsafe-text.ts';
import { navigate, useRoute } from '../stores/navigation.ts';
import { showError, showToast } from '../stores/toasts.ts';

/** Removes exactly these and says how it went; leaves the page of one that went. */
export async function removeVolumes(names: readonly string[]): Promise<void> {
  try {
    const { removed, kept } = await host.call('volumes.remove', { names });
    const { route } = useRoute.getState();
    if (route.screen === 'volume' && removed.includes(route.id)) navigate({ screen: 'volumes' }, { replace: true });
    const [only] = removed;
    if (removed.length === 1 && only !== undefined) {
      showToast({ tone: 'good', title: `Removed ${visibleText(only, 60)}` });
    } else if (removed.length > 1) {
      showToast({ tone: 'good', title: `Removed ${formatCount(removed.length, 'volume')}` });
    }
    const [first] = kept;
    if (first) {
      showToast({ tone: 'bad', title: `Kept ${formatCount(kept.length, 'volume')}`, detail: first.reason });
    }
  } catch (error) {
    showError(`Could not remove ${formatCount(names.length, 'volume')}`, error);
  }
}
