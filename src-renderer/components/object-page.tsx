import { useEffect, useRef, useState, type ReactNode } from 'react';
import { ArrowLeft } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { errorText } from '../stores/follow-stream.ts';
import { navigate, type Place } from '../stores/navigation.ts';
import { useEngineReady } from '../stores/vm.ts';
import { Inspect } from '../screens/container/inspect.tsx';
import { Outside } from './text.tsx';

interface ObjectPageProps {
  readonly place: Place;
  readonly title: string;
  readonly note: string;
  readonly actions: ReactNode;
  /** Asks for the engine's whole answer, when the tab is first looked at and each time it is opened again. */
  readonly inspect: (signal: AbortSignal) => Promise<unknown>;
  /** Between the overview and the engine's own words. */
  readonly tabs?: readonly { readonly value: string; readonly label: string; readonly content: ReactNode }[];
  readonly children: ReactNode;
}

/** The page of one object: its head, an overview, and the engine's own words. */
export function ObjectPage({ place, title, note, actions, inspect, tabs = [], children }: ObjectPageProps) {
  return (
    <div className="screen">
      <header className="page-head">
        <button type="button" className="back" onClick={() => navigate({ screen: place })}>
          <ArrowLeft className="icon" aria-hidden /> {`${place.charAt(0).toUpperCase()}${place.slice(1)}`}
        </button>
        <div className="page-title">
          <h1>
            <Outside text={title} />
          </h1>
          <span className="quiet">{note}</span>
          <div className="actions">{actions}</div>
        </div>
      </header>
      <Tabs.Root className="tabs" defaultValue="overview">
        <Tabs.List className="tab-list" aria-label="Views">
          <Tabs.Trigger className="tab" value="overview">
            Overview
          </Tabs.Trigger>
          {tabs.map(({ value, label }) => (
            <Tabs.Trigger key={value} className="tab" value={value}>
              {label}
            </Tabs.Trigger>
          ))}
          <Tabs.Trigger className="tab" value="inspect">
            Inspect
          </Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content className="tab-panel" value="overview">
          <div className="page-body scroll">{children}</div>
        </Tabs.Content>
        {tabs.map(({ value, content }) => (
          <Tabs.Content key={value} className="tab-panel" value={value}>
            {content}
          </Tabs.Content>
        ))}
        <Tabs.Content className="tab-panel" value="inspect">
          <RawInspect ask={inspect} />
        </Tabs.Content>
      </Tabs.Root>
    </div>
  );
}

function RawInspect({ ask }: { ask: (signal: AbortSignal) => Promise<unknown> }) {
  const ready = useEngineReady();
  const [answer, setAnswer] = useState<{ readonly value?: { readonly raw: unknown }; readonly problem?: string }>({});
  const latest = useRef(ask);
  useEffect(() => {
    latest.current = ask;
  });
  useEffect(() => {
    if (!ready) return;
    const abort = new AbortController();
    latest.current(abort.signal).then(
      (raw) => setAnswer({ value: { raw } }),
      (error: unknown) => {
        if (!abort.signal.aborted) setAnswer((before) => ({ ...before, problem: errorText(error) }));
      },
    );
    return () => abort.abort();
  }, [ready]);
  return <Inspect details={answer} />;
}
