/** Joins a client's connection with a container's streams, with backpressure both ways and half-close. */
import type { Duplex } from 'node:stream';
import { DetachKeys } from './detach-keys.ts';

export interface JoinOptions {
  /** The client's bytes go to the process; false: they are thrown away. */
  readonly stdin: boolean;
  /** A sequence that ends the connection but not the process; undefined: none. */
  readonly detachKeys: DetachKeys | undefined;
}

/**
 * Resolves when the connection is over: the process ended (`ended`), the client left or typed the sequence (`detached`).
 * Both streams are then closed.
 */
export function joinStreams(client: Duplex, process: Duplex, options: JoinOptions): Promise<'ended' | 'detached'> {
  return new Promise((resolve) => {
    let isOver = false;
    const finish = (how: 'ended' | 'detached'): void => {
      if (isOver) return;
      isOver = true;
      process.destroy();
      if (how === 'ended') {
        client.end();
        // So that the client's own end is seen and the connection closes.
        client.resume();
      } else client.destroy();
      resolve(how);
    };
    client.on('error', () => finish('detached'));
    client.on('close', () => finish('detached'));
    process.on('error', () => finish('ended'));
    process.on('end', () => finish('ended'));
    process.on('close', () => finish('ended'));

    forward(process, client);
    if (!options.stdin) {
      client.resume();
      return;
    }
    client.on('data', (chunk: Buffer) => {
      const typed = options.detachKeys?.feed(chunk);
      const bytes = typed === undefined ? chunk : typed.pass;
      if (bytes.length > 0 && process.writable && !process.write(bytes)) client.pause();
      if (typed?.detached === true) {
        client.end();
        client.resume();
        isOver = true;
        process.destroy();
        resolve('detached');
      }
    });
    process.on('drain', () => client.resume());
    client.on('end', () => process.end());
    client.resume();
  });
}

/** Says goodbye, after `last` when given; read on, or the client's own end is never seen and the connection stays. */
export function endClient(client: Duplex, last?: Buffer): void {
  client.on('error', () => undefined); // It went away: nobody is left to tell.
  if (last === undefined) client.end();
  else client.end(last);
  client.resume();
}

function forward(source: Duplex, target: Duplex): void {
  source.on('data', (chunk: Buffer) => {
    if (target.writable && !target.write(chunk)) source.pause();
  });
  target.on('drain', () => source.resume());
}
