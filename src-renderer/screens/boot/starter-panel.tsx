import { useState } from 'react';
import { Download, Play } from 'lucide-react';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Logo } from '../../logo.tsx';
import { openDialog } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { useImages } from '../../stores/objects.ts';
import { showError } from '../../stores/toasts.ts';
import { useEngineReady } from '../../stores/vm.ts';

/** The image that the system carries, so that the first container runs without a network. */
const starterImage = 'wherry/starter:latest';

/** An engine without containers: from here to a running one in a click. */
export function StarterPanel() {
  const ready = useEngineReady();
  const hasStarter = useImages((state) => state.value?.some(({ tags }) => tags.includes(starterImage)) ?? false);
  const { busy, run } = useStarter();
  return (
    <div className="starter scroll">
      <div className="starter-inner">
        <div className="starter-mark">
          <Logo size={52} />
        </div>
        <h2>Ready when you are</h2>
        <p className="quiet">No containers yet. Start with one of these; each takes a moment.</p>
        <div className="starter-choices">
          {hasStarter ? (
            <button type="button" className="choice" disabled={!ready || busy} onClick={run}>
              <Play className="icon" aria-hidden />
              <strong>{busy ? 'Starting…' : 'Run the starter container'}</strong>
              <span className="quiet">A small web server that comes with Wherry. Needs no network.</span>
            </button>
          ) : null}
          <button type="button" className="choice" disabled={!ready} onClick={() => openDialog({ kind: 'pull' })}>
            <Download className="icon" aria-hidden />
            <strong>Pull an image</strong>
            <span className="quiet">From Docker Hub or any other registry, by its name.</span>
          </button>
        </div>
        <p className="starter-more quiet">
          Have an image already?{' '}
          <Button small onClick={() => openDialog({ kind: 'run' })} disabled={!ready}>
            Run a container…
          </Button>
        </p>
      </div>
    </div>
  );
}

function useStarter(): { readonly busy: boolean; readonly run: () => void } {
  const [busy, setBusy] = useState(false);
  const run = () => {
    setBusy(true);
    host
      .call('images.inspect', { id: starterImage })
      .then(({ exposedPorts }) => host.call('containers.run', { image: starterImage, ports: publish(exposedPorts) }))
      .then(({ id }) => navigate({ screen: 'container', id, tab: 'logs' }))
      .catch((error: unknown) => showError('Could not run the starter container', error))
      .finally(() => setBusy(false));
  };
  return { busy, run };
}

/** Every declared port on a free port of this computer. */
function publish(exposed: readonly string[]) {
  return exposed.flatMap((text) => {
    const [port, protocol] = text.split('/');
    const containerPort = Number(port);
    if (!Number.isInteger(containerPort) || containerPort < 1) return [];
    return [{ containerPort, protocol: protocol === 'udp' ? ('udp' as const) : ('tcp' as const), hostPort: 0 }];
  });
}
