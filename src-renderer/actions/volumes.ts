/** What the buttons and keys of volumes do. */
import { host } from '../bridge.ts';
import { formatCount } from '../format/quantities.ts';
import { navigate, useRoute } from '../stores/navigation.ts';
import { showError } from '../stores/toasts.ts';
import { tellRemoval } from './tell-removal.ts';

/** Removes exactly these and says how it went; leaves the page of one that went. */
export async function removeVolumes(names: readonly string[]): Promise<void> {
  try {
    const removal = await host.call('volumes.remove', { names });
    const { route } = useRoute.getState();
    if (route.screen === 'volume' && removal.removed.includes(route.id)) {
      navigate({ screen: 'volumes' }, { replace: true });
    }
    tellRemoval(removal, 'volume', (name) => name);
  } catch (error) {
    showError(`Could not remove ${formatCount(names.length, 'volume')}`, error);
  }
}
