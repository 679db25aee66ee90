/** Asks the guest's name servers on behalf of containers. */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { isAnswerTo, isTruncated, withId } from './message.ts';
import { readFrames, writeFrame } from './tcp-frames.ts';
import type { Upstream } from './upstreams.ts';

export interface ForwarderOptions {
  readonly upstreams: () => readonly Upstream[];
  /** For one question to one server. */
  readonly timeoutMs?: number;
  /** Times the whole list is gone through. */
  readonly rounds?: number;
}

interface ForwardRequest {
  readonly message: Buffer;
  readonly questionEnd: number;
  readonly transport: 'udp' | 'tcp';
}

/** Resolves with the answer, under the id of the question; undefined when no server gave one. */
export type Forwarder = (request: ForwardRequest) => Promise<Buffer | undefined>;

export function createForwarder({ upstreams, timeoutMs = 2500, rounds = 2 }: ForwarderOptions): Forwarder {
  const ask = async (upstream: Upstream, request: ForwardRequest): Promise<Buffer | undefined> => {
    if (request.transport === 'udp') return askByUdp(upstream, request, timeoutMs);
    // A server that takes no TCP may still give what fits.
    return (await askByTcp(upstream, request, timeoutMs)) ?? (await askByUdp(upstream, request, timeoutMs));
  };
  return async (request) => {
    const originalId = request.message.readUInt16BE(0);
    for (let round = 0; round < rounds; round++) {
      for (const upstream of upstreams()) {
        const response = await ask(upstream, request);
        if (response !== undefined) return withId(response, originalId);
      }
    }
    return undefined;
  };
}

/** A socket of its own for each question: its port is as hard to guess as the id, and the kernel lets only the server answer. */
function askByUdp(upstream: Upstream, request: ForwardRequest, timeoutMs: number): Promise<Buffer | undefined> {
  const id = randomInt(0x10000);
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(upstream.address) ? 'udp6' : 'udp4');
    let finished = false;
    const finish = (response: Buffer | undefined): void => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      socket.close();
      resolve(response);
    };
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    // Refused by the other side (ECONNREFUSED), or no way to it.
    socket.on('error', () => finish(undefined));
    socket.on('message', (response) => {
      if (isAnswerTo(response, request.message, id, request.questionEnd)) finish(response);
    });
    socket.connect(upstream.port, upstream.address, () => {
      if (!finished) socket.send(withId(request.message, id));
    });
  });
}

function askByTcp(upstream: Upstream, request: ForwardRequest, timeoutMs: number): Promise<Buffer | undefined> {
  const id = randomInt(0x10000);
  return new Promise((resolve) => {
    const socket = connect(upstream.port, upstream.address);
    const finish = (response: Buffer | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(response);
    };
    const timer = setTimeout(() => finish(undefined), timeoutMs);
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
    readFrames(socket, (response) => {
      const good = isAnswerTo(response, request.message, id, request.questionEnd) && !isTruncated(response);
      finish(good ? response : undefined);
    });
    writeFrame(socket, withId(request.message, id));
  });
}
