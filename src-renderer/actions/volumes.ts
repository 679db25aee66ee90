/** What the buttons and keys of volumes do. */
import { host } from '../bridge.ts';
import { formatCount } from '../format/quantities.ts';
import { navigate, useRoute } from '../stores/navigation.ts';
import { errorText } from '../stores/follow-stream.ts';
import { showError, showToast } from '../stores/toasts.ts';
import { saveBlob } from './links.ts';
import { tellRemoval } from './tell-removal.ts';
import { receiveFile, sendFile } from './transfers.ts';

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

/** What goes wrong is told with the task. */
export function exportVolume(name: string): void {
  receiveFile(host.open('volumes.export', { name })).then(
    (archive) => saveBlob(archive, `${name}.tar`),
    () => undefined,
  );
}

/** What goes wrong is told with the task, unless there is none. */
export function importVolume(name: string, file: File): void {
  let begun = false;
  sendFile(host.open('volumes.import', { name, sizeBytes: file.size }), file, () => (begun = true)).catch(
    (error: unknown) => {
      if (!begun) showToast({ tone: 'bad', title: `Could not import ${name}`, detail: errorText(error) });
    },
  );
}
