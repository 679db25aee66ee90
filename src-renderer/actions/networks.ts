/** What the buttons and keys of networks do. */
import type { NetworkView } from '../../src-main/contract/networks.ts';
import { host } from '../bridge.ts';
import { formatCount } from '../format/quantities.ts';
import { visibleText } from '../format/unsafe-text.ts';
import { navigate, useRoute } from '../stores/navigation.ts';
import { showError, showToast } from '../stores/toasts.ts';
import { tellRemoval } from './tell-removal.ts';

/** Removes exactly these and says how it went; leaves the page of one that went. */
export async function removeNetworks(networks: readonly Pick<NetworkView, 'id' | 'name'>[]): Promise<void> {
  try {
    const removal = await host.call('networks.remove', { ids: networks.map(({ id }) => id) });
    const { route } = useRoute.getState();
    if (route.screen === 'network' && removal.removed.includes(route.id)) {
      navigate({ screen: 'networks' }, { replace: true });
    }
    tellRemoval(removal, 'network', (asked) => networks.find(({ id }) => id === asked)?.name ?? asked);
  } catch (error) {
    showError(`Could not remove ${formatCount(networks.length, 'network')}`, error);
  }
}

export async function disconnect(
  network: Pick<NetworkView, 'id' | 'name'>,
  container: { readonly id: string; readonly name: string },
): Promise<void> {
  const [from, who] = [visibleText(network.name, 60), visibleText(container.name, 60)];
  try {
    await host.call('networks.disconnect', { id: network.id, containerId: container.id });
    showToast({ tone: 'good', title: `Disconnected ${who} from ${from}` });
  } catch (error) {
    showError(`Could not disconnect ${who} from ${from}`, error);
  }
}
