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
    const text = body === undefined ? '' : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
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
      request.end(text);
    });
  }

  /** As {@link request}; a status of 400 and above is an error. */
  async call(method: string, url: string, body?: unknown): Promise<string> {
    const answer = await this.request(method, url, body);
    if (answer.status >= 400) throw new Error(`${method} ${url}: ${String(answer.status)} ${answer.body}`);
    return answer.body;
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
