import { useEffect, useMemo } from 'react';
import type { ContainerView } from '../../src-main/contract/engine.ts';
import { saveText } from '../actions/links.ts';
import { host } from '../bridge.ts';
import { stripAnsi } from './ansi.ts';
import { LogFeed } from './log-feed.ts';
import { LogPanel } from './log-panel.tsx';

/** A container's log. */
export function LogView({ container }: { container: ContainerView }) {
  const feed = useFeed(container);
  return (
    <LogPanel
      source={feed}
      running={container.state === 'running'}
      saveLabel="Save the whole log"
      onSave={() => saveAll(container)}
    />
  );
}

/** One feed for as long as the view is there; opened again when an ended container starts anew. */
function useFeed(container: ContainerView): LogFeed {
  const { id, state } = container;
  const feed = useMemo(() => new LogFeed(id), [id]);
  const up = state === 'running' || state === 'paused' || state === 'restarting';
  useEffect(() => feed.open(), [feed, up]);
  useEffect(() => () => feed.close(), [feed]);
  return feed;
}

/** The whole log as the engine has it, not only what is kept here. */
async function saveAll({ id, name }: ContainerView): Promise<void> {
  const parts: string[] = [];
  for await (const { lines } of host.open('logs.follow', { containerId: id, tail: 'all', follow: false })) {
    parts.push(lines.map(({ time, text }) => `${time} ${stripAnsi(text)}\n`).join(''));
  }
  saveText(parts, `${name.replace(/[^\w.-]+/g, '_').slice(0, 80)}.log`);
}
