/** The long-lived routes of a container: attach, logs, wait, stats. */
import { EngineError } from '../../contract/errors.ts';
import { attachContainer, prepareAttach } from '../use-cases/attach-container.ts';
import type { AttachRequest } from '../use-cases/attach-container.ts';
import { containerLogs } from '../use-cases/container-logs.ts';
import type { Parts } from '../use-cases/parts.ts';
import { containerStats } from '../use-cases/container-stats.ts';
import { parseWaitCondition, waitForContainer } from '../use-cases/wait-container.ts';
import { skipBody } from './body.ts';
import { hijack } from './hijack.ts';
import { booleanOf } from './query.ts';
import { sendJson, writeChunk, writeLine } from './reply.ts';
import type { Route } from './route.ts';
import { acceptWebSocket, Unframed } from './websocket.ts';

export function containerStreamRoutes(parts: Parts): Route[] {
  return [attach(parts), attachWebSocket(parts), logs(parts), wait(parts), stats(parts)];
}

function attach(parts: Parts): Route {
  return {
    method: 'POST',
    path: '/containers/:id/attach',
    takesOver: true,
    handle: async ({ request, response, params, query }) => {
      const wanted = attachRequest(query);
      await skipBody(request);
      const record = prepareAttach(parts, params.id ?? '', wanted);
      const client = await hijack(request, response, record.config.Tty ? 'raw-stream' : 'multiplexed-stream');
      await attachContainer(parts, record, wanted, client);
    },
  };
}

/** For pages in a browser. Output as it is, both streams in one. */
function attachWebSocket(parts: Parts): Route {
  return {
    method: 'GET',
    path: '/containers/:id/attach/ws',
    takesOver: true,
    handle: async ({ request, response, params, query }) => {
      const wanted = attachRequest(query);
      const record = prepareAttach(parts, params.id ?? '', wanted);
      const client = await acceptWebSocket(request, response);
      await attachContainer(parts, record, wanted, record.config.Tty ? client : new Unframed(client));
    },
  };
}

function attachRequest(query: URLSearchParams): AttachRequest {
  return {
    stdin: booleanOf(query, 'stdin'),
    stdout: booleanOf(query, 'stdout'),
    stderr: booleanOf(query, 'stderr'),
    logs: booleanOf(query, 'logs'),
    stream: booleanOf(query, 'stream'),
    detachKeys: query.get('detachKeys') ?? '',
  };
}

function logs(parts: Parts): Route {
  return {
    method: 'GET',
    path: '/containers/:id/logs',
    handle: async ({ response, params, query, signal }) => {
      const { tty, output } = containerLogs(
        parts,
        params.id ?? '',
        {
          follow: booleanOf(query, 'follow'),
          stdout: booleanOf(query, 'stdout'),
          stderr: booleanOf(query, 'stderr'),
          timestamps: booleanOf(query, 'timestamps'),
          tail: query.get('tail') ?? 'all',
          since: query.get('since') ?? '',
          until: query.get('until') ?? '',
        },
        signal,
      );
      const content = tty ? 'raw-stream' : 'multiplexed-stream';
      response.writeHead(200, { 'Content-Type': `application/vnd.docker.${content}` });
      response.flushHeaders();
      for await (const chunk of output) await writeChunk(response, chunk, signal);
      response.end();
    },
  };
}

function wait(parts: Parts): Route {
  return {
    method: 'POST',
    path: '/containers/:id/wait',
    handle: async ({ response, params, query, signal }) => {
      const condition = parseWaitCondition(query.get('condition'));
      const { exit } = waitForContainer(parts, params.id ?? '', condition, signal);
      // The client starts the container when it has seen these.
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.flushHeaders();
      try {
        const { exitCode } = await exit;
        response.end(`${JSON.stringify({ StatusCode: exitCode })}\n`);
      } catch (cause) {
        // The client has left.
        if (!signal.aborted) throw cause;
      }
    },
  };
}

function stats(parts: Parts): Route {
  return {
    method: 'GET',
    path: '/containers/:id/stats',
    handle: async ({ response, params, query, signal }) => {
      const streams = booleanOf(query, 'stream', true);
      const oneShot = booleanOf(query, 'one-shot');
      if (streams && oneShot) {
        throw new EngineError('invalid-parameter', 'cannot have stream=true and one-shot=true');
      }
      const samples = containerStats(parts, params.id ?? '', { streams, oneShot }, signal);
      if (!streams) {
        for await (const sample of samples) sendJson(response, sample);
        return;
      }
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.flushHeaders();
      for await (const sample of samples) await writeLine(response, sample, signal);
      response.end();
    },
  };
}
