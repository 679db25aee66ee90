/** The few Engine API calls the benchmarks make; the same code drives every engine. */
import http from 'node:http';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A client of one engine's socket, with its connections kept open. */
export class EngineSocket {
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  request(method: string, url: string, body?: unknown): Promise<Answer> {
    return this.#send(method, url, body === undefined ? '' : JSON.stringify(body), 'application/json');
  }

  #send(method: string, url: string, body: string | Buffer, type: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) };
      const request = http.request(
        { socketPath: this.#socketPath, method, path: url, agent: this.#agent, headers },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  /** As {@link request}; a status of 400 and above is an error. */
  async call(method: string, url: string, body?: unknown): Promise<string> {
    const answer = await this.request(method, url, body);
    if (answer.status >= 400) throw new Error(`${method} ${url}: ${String(answer.status)} ${answer.body}`);
    return answer.body;
  }

  /** Reads an answer of any length and tells how many bytes it had. */
  drain(url: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const request = http.get({ socketPath: this.#socketPath, path: url, agent: this.#agent }, (answer) => {
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
        answer.on('error', reject);
        answer.on('end', () => {
          resolve(bytes);
        });
      });
      request.on('error', reject);
    });
  }

  /** The classic builder, from a context's archive. */
  async build(archive: Buffer, query: string): Promise<void> {
    const { status, body } = await this.#send('POST', `/build?${query}`, archive, 'application/x-tar');
    if (status >= 400 || body.includes('"errorDetail"')) throw new Error(`build: ${String(status)} ${body}`);
  }

  async create(config: object): Promise<string> {
    return (JSON.parse(await this.call('POST', '/containers/create', config)) as { Id: string }).Id;
  }

  /** `docker run --rm` in four calls. */
  async runTrue(image: string): Promise<void> {
    const id = await this.create({ Image: image, Cmd: ['true'] });
    await this.call('POST', `/containers/${id}/start`);
    const ended = JSON.parse(await this.call('POST', `/containers/${id}/wait`)) as { StatusCode: number };
    if (ended.StatusCode !== 0) throw new Error(`true ended with ${String(ended.StatusCode)}`);
    await this.call('DELETE', `/containers/${id}?v=1`);
  }

  async execTrue(id: string): Promise<void> {
    const exec = JSON.parse(
      await this.call('POST', `/containers/${id}/exec`, { Cmd: ['true'], AttachStdout: true, AttachStderr: true }),
    ) as { Id: string };
    await this.call('POST', `/exec/${exec.Id}/start`, { Detach: false, Tty: false });
    const ended = JSON.parse(await this.call('GET', `/exec/${exec.Id}/json`)) as { ExitCode: number };
    if (ended.ExitCode !== 0) throw new Error(`exec of true ended with ${String(ended.ExitCode)}`);
  }

  async pull(reference: string): Promise<void> {
    const colon = reference.lastIndexOf(':');
    const query = new URLSearchParams({ fromImage: reference.slice(0, colon), tag: reference.slice(colon + 1) });
    const progress = await this.call('POST', `/images/create?${query.toString()}`);
    const failed = progress.split('\n').find((line) => line.includes('"errorDetail"'));
    if (failed !== undefined) throw new Error(`pull ${reference}: ${failed}`);
  }
}
