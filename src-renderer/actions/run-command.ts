/** The `docker run` of a container, on the clipboard. */
import { host } from '../bridge.ts';
import { dockerRunCommand } from '../format/docker-run.ts';
import { visibleText } from '../format/unsafe-text.ts';
import { showError } from '../stores/toasts.ts';
import { copyText } from './links.ts';

export async function copyRunCommand({ id, name }: { id: string; name: string }): Promise<void> {
  try {
    const { raw, imageId } = await host.call('containers.inspect', { id });
    // Without the image what it sets by itself cannot be told: the command then says all of it, and is right too.
    const image = await host.call('images.inspect', { id: imageId }).catch(() => undefined);
    await copyText(dockerRunCommand(raw, image), `the docker run command of ${visibleText(name, 60)}`);
  } catch (error) {
    showError('Could not read the container', error);
  }
}
