import { useEffect, useState } from 'react';
import { ArrowLeft, Play } from 'lucide-react';
import { Tabs } from 'radix-ui';
import type { ImageDetails, ImageView } from '../../../src-main/contract/engine.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Empty } from '../../components/empty.tsx';
import { Facts, type Fact } from '../../components/facts.tsx';
import { MoreMenu } from '../../components/menu.tsx';
import { Notice } from '../../components/notice.tsx';
import { Outside } from '../../components/text.tsx';
import { formatBytes, formatTime, shortId } from '../../format/quantities.ts';
import { openDialog } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { navigate } from '../../stores/navigation.ts';
import { useImages } from '../../stores/objects.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { imageMenu } from './images-screen.tsx';
import { Layers } from './layers.tsx';
import { joinWords } from './split-words.ts';

/** One image: what it declares and how it was made. */
export function ImageScreen({ id }: { id: string }) {
  const view = useImages((state) => state.value?.find((image) => image.id === id));
  const known = useImages((state) => state.value !== undefined);
  const ready = useEngineReady();
  const { details, problem } = useImageDetails(id, ready);
  const name = view?.tags[0] ?? shortId(id);
  if (known && !view) {
    return (
      <Empty
        title="This image is gone"
        actions={<Button onClick={() => navigate({ screen: 'images' })}>All images</Button>}
      >
        <p>It was removed, or replaced by a newer one of the same name.</p>
      </Empty>
    );
  }
  return (
    <div className="screen">
      <header className="page-head">
        <button type="button" className="back" onClick={() => navigate({ screen: 'images' })}>
          <ArrowLeft className="icon" aria-hidden /> Images
        </button>
        <div className="page-title">
          <h1>
            <Outside text={name} />
          </h1>
          <div className="actions">
            <Button
              tone="primary"
              icon={Play}
              disabled={!ready}
              onClick={() => openDialog({ kind: 'run', image: view?.tags[0] ?? id })}
            >
              Run
            </Button>
            {view === undefined ? null : <MoreMenu entries={imageMenu(view, ready)} />}
          </div>
        </div>
      </header>
      {problem === undefined ? null : (
        <div className="log-notice">
          <Notice tone="bad">
            <p>{problem}</p>
          </Notice>
        </div>
      )}
      <Tabs.Root className="tabs" defaultValue="overview">
        <Tabs.List className="tab-list" aria-label="Image">
          <Tabs.Trigger className="tab" value="overview">
            Overview
          </Tabs.Trigger>
          <Tabs.Trigger className="tab" value="layers">
            Layers
            {details ? <span className="count">{details.history.filter(({ empty }) => !empty).length}</span> : null}
          </Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content className="tab-panel" value="overview">
          <div className="page-body scroll" tabIndex={0}>
            {details ? <ImageFacts details={details} {...(view === undefined ? {} : { view })} /> : null}
          </div>
        </Tabs.Content>
        <Tabs.Content className="tab-panel" value="layers">
          {details ? <Layers key={id} id={id} history={details.history} /> : null}
        </Tabs.Content>
      </Tabs.Root>
    </div>
  );
}

/** Names, users and sharing are the list's: they change while the page is looked at. */
function ImageFacts({ details, view = details }: { details: ImageDetails; view?: ImageView }) {
  const own = view.sharedBytes === undefined ? '' : `${formatBytes(view.sizeBytes - view.sharedBytes)} its own, `;
  const facts: Fact[] = [
    { name: 'Names', value: view.tags.length === 0 ? 'none' : view.tags.join('\n') },
    { name: 'ID', value: details.id, mono: true },
    {
      name: 'Size',
      value: `${formatBytes(view.sizeBytes)}${own === '' ? '' : ` (${own}${formatBytes(view.sharedBytes ?? 0)} shared)`}`,
    },
    { name: 'Created', value: formatTime(details.createdAtMs) },
    { name: 'Platform', value: `${details.os}/${details.architecture}` },
    { name: 'Used by', value: view.usedBy.length === 0 ? 'no container' : view.usedBy.join(', ') },
    { name: 'Entrypoint', value: joinWords(details.entrypoint), mono: true },
    { name: 'Command', value: joinWords(details.command), mono: true },
    { name: 'User', value: details.user },
    { name: 'Folder', value: details.workingFolder, mono: true },
    { name: 'Ports', value: details.exposedPorts.join(', ') },
    { name: 'Volumes', value: details.volumes.join(', '), mono: true },
    { name: 'Environment', value: details.environment.join('\n'), mono: true },
  ];
  return (
    <section>
      <h2>About</h2>
      <Facts facts={facts} />
    </section>
  );
}

function useImageDetails(id: string, ready: boolean): { details?: ImageDetails; problem?: string } {
  const [state, setState] = useState<{ details?: ImageDetails; problem?: string }>({});
  useEffect(() => {
    if (!ready) return;
    const abort = new AbortController();
    host.call('images.inspect', { id }, abort.signal).then(
      (details) => setState({ details }),
      (error: unknown) => {
        if (!abort.signal.aborted)
          setState(({ details }) => ({ ...(details ? { details } : {}), problem: errorText(error) }));
      },
    );
    return () => abort.abort();
  }, [id, ready]);
  return state;
}
