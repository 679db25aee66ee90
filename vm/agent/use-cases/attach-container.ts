/** Attaches a client to a container, running or about to be started. */
import type { Duplex } from 'node:stream';
import { EngineError } from '../../contract/errors.ts';
import { drained } from '../drained.ts';
import { log } from '../log.ts';
import { readLogs } from '../logs/read-logs.ts';
import type { RunningContainer } from '../runtime/runtime.ts';
import type { ContainerRecord } from '../state/container-record.ts';
import { DetachKeys } from './detach-keys.ts';
import { endClient, joinStreams } from './join-streams.ts';
import { containerPaths, publishContainerEvent } from './parts.ts';
import type { Parts } from './parts.ts';

export interface AttachRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** What was logged before, first. */
  readonly logs: boolean;
  /** What comes from now on. */
  readonly stream: boolean;
  readonly detachKeys: string;
}

/** Checks that attaching is possible, so that errors can be told before the connection is taken over. */
export function prepareAttach(parts: Parts, reference: string, request: AttachRequest): ContainerRecord {
  const record = parts.store.find(reference);
  if (record.state.status === 'paused') {
    throw new EngineError('conflict', `container ${record.id} is paused. Unpause the container before attach`);
  }
  if (record.state.status === 'restarting') {
    throw new EngineError('conflict', `container ${record.id} is restarting, wait until the container is running`);
  }
  if (request.detachKeys !== '') new DetachKeys(request.detachKeys);
  return record;
}

/** Takes over `client`; resolves when the connection is over. */
export async function attachContainer(
  parts: Parts,
  record: ContainerRecord,
  request: AttachRequest,
  client: Duplex,
): Promise<void> {
  if (request.logs) await sendLogs(parts, record, request, client);
  if (!request.stream) {
    endClient(client);
    return;
  }
  publishContainerEvent(parts, record, 'attach');
  const live = parts.live.of(record.id);
  const join = async (running: RunningContainer): Promise<void> => {
    const { stdin, stdout, stderr } = request;
    const streams = await running.attach({ stdin: stdin && record.config.OpenStdin, stdout, stderr });
    const detachKeys = record.config.Tty || request.detachKeys !== '' ? new DetachKeys(request.detachKeys) : undefined;
    void joinStreams(client, streams, { stdin: stdin && record.config.OpenStdin, detachKeys }).then((how) => {
      if (how === 'detached') publishContainerEvent(parts, record, 'detach');
    });
  };
  if (live.running !== undefined) {
    await join(live.running);
    return;
  }
  const pending = { join, end: () => endClient(client) };
  live.pending.add(pending);
  client.on('error', () => live.pending.delete(pending));
  client.on('close', () => live.pending.delete(pending));
}

async function sendLogs(parts: Parts, record: ContainerRecord, request: AttachRequest, client: Duplex): Promise<void> {
  const selection = {
    stdout: request.stdout,
    stderr: request.stderr,
    timestamps: false,
    since: undefined,
    until: undefined,
    framed: !record.config.Tty,
    tail: undefined,
  };
  const aborter = new AbortController();
  const abort = (): void => aborter.abort();
  client.on('close', abort);
  try {
    for await (const chunk of readLogs(
      containerPaths(parts.config, record.id).log,
      selection,
      undefined,
      aborter.signal,
    )) {
      if (!client.write(chunk)) await drained(client, aborter.signal);
    }
  } catch (error) {
    log.warn(`logs for an attach to ${record.name}`, error);
  } finally {
    client.off('close', abort);
  }
}
