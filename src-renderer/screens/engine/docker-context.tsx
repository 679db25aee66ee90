import { useEffect, useState } from 'react';
import { Copy } from 'lucide-react';
import type { DockerContextView } from '../../../src-main/contract/docker-context.ts';
import { copyText } from '../../actions/links.ts';
import { host } from '../../bridge.ts';
import { Button, IconButton } from '../../components/button.tsx';
import { visibleText } from '../../format/unsafe-text.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { showError, showToast } from '../../stores/toasts.ts';

const command = 'docker context use wherry';

/** The docker command's context for this engine: registered or removed by one click. */
export function DockerContext() {
  const { view, problem, busy, run } = useDockerContext();
  const add = (replace: boolean) =>
    run('Could not register the context', () => host.call('dockerContext.add', { replace }));
  const remove = () =>
    run('Could not remove the context', async () => {
      const { wasCurrent } = await host.call('dockerContext.remove', {});
      const detail = 'It was the current one: docker commands go to docker’s default again.';
      showToast({ tone: 'good', title: 'Removed the docker context', ...(wasCurrent ? { detail } : {}) });
    });
  return (
    <section>
      <h2>Docker context</h2>
      <div className="settings-lines">
        <div>
          <span>{problem ?? wordsOf(view)}</span>
          {view?.state === 'absent' ? (
            <Button busy={busy} onClick={() => add(false)}>
              Register
            </Button>
          ) : null}
          {view?.state === 'registered' ? (
            <Button busy={busy} onClick={remove}>
              Remove the context
            </Button>
          ) : null}
          {view?.state === 'other' ? (
            <Button busy={busy} tone="danger" onClick={() => add(true)}>
              Replace
            </Button>
          ) : null}
        </div>
      </div>
      {view?.state === 'registered' ? (
        <div className="command">
          <code className="mono">{command}</code>
          <IconButton
            icon={Copy}
            label="Copy the command for the context"
            onClick={() => void copyText(command, 'the command')}
          />
        </div>
      ) : null}
    </section>
  );
}

function wordsOf(view: DockerContextView | undefined): string {
  switch (view?.state) {
    case undefined:
      return 'Looking at docker’s configuration…';
    case 'absent':
      return 'With a context named wherry, docker, compose and editors find this engine without DOCKER_HOST.';
    case 'registered':
      return view.current
        ? 'Registered as wherry, and the current context: docker commands come here.'
        : 'Registered as wherry. To send all docker commands here:';
    case 'other': {
      const where = view.host === '' ? 'cannot be read' : `points to ${visibleText(view.host ?? '', 120)}`;
      return `There is a context named wherry that ${where}. Replacing it takes the name for this engine.`;
    }
  }
}

function useDockerContext() {
  const [view, setView] = useState<DockerContextView>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    host.call('dockerContext.inspect', {}, abort.signal).then(
      (found) => {
        setView(found);
        setProblem(undefined);
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setProblem(errorText(error));
      },
    );
    return () => abort.abort();
  }, [round]);
  const run = (failure: string, act: () => Promise<unknown>) => {
    setBusy(true);
    act()
      .catch((error: unknown) => showError(failure, error))
      .finally(() => {
        setBusy(false);
        setRound((before) => before + 1);
      });
  };
  return { view, problem, busy, run };
}
