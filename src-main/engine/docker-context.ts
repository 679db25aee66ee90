/**
 * The docker command's context for this engine, as the command keeps it: `contexts/meta/<SHA-256 of the name>/meta.json` in its
 * configuration folder; `currentContext` in its `config.json`. Only the file of our name is ever written or removed.
 */
import { createHash } from 'node:crypto';
import { mkdir, realpath, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { dockerContextName, type DockerContextView } from '../contract/docker-context.ts';
import { AppError } from '../contract/errors.ts';
import { readIfThere, writeDurably } from '../durable-file.ts';

const metaSchema = z.object({ Endpoints: z.object({ docker: z.object({ Host: z.string() }) }) });
const configSchema = z.looseObject({ currentContext: z.string().optional() });
type DockerConfig = z.infer<typeof configSchema>;

/** The docker command's own rule for where its configuration is. */
function dockerConfigFolder(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['DOCKER_CONFIG'];
  return chosen === undefined || chosen === '' ? path.join(os.homedir(), '.docker') : chosen;
}

export class DockerContext {
  readonly #host: string;
  readonly #folder: string;

  /** @param host the engine's socket, as `DOCKER_HOST` takes it */
  constructor(host: string, folder: string = dockerConfigFolder()) {
    this.#host = host;
    this.#folder = folder;
  }

  async inspect(): Promise<DockerContextView> {
    const [host, current] = await Promise.all([this.#registeredHost(), this.#isCurrent()]);
    const state = host === undefined ? 'absent' : host === this.#host ? 'registered' : 'other';
    return { state, current, folder: this.#folder, ...(host === undefined ? {} : { host }) };
  }

  /** @throws AppError `conflict` when the name is another engine's and `replace` is false. */
  async add(replace: boolean): Promise<DockerContextView> {
    const { state, host } = await this.inspect();
    if (state === 'other' && !replace) throw taken('add', host);
    if (state !== 'registered') await this.#write();
    return this.inspect();
  }

  /** One that is gone already is as wanted. */
  async remove(): Promise<{ wasCurrent: boolean }> {
    const { state, current, host } = await this.inspect();
    if (state === 'other') throw taken('remove', host);
    // First: a current context that is not there fails every docker command.
    if (current) await this.#resetCurrent();
    const id = contextId();
    for (const kind of ['meta', 'tls']) {
      await rm(path.join(this.#folder, 'contexts', kind, id), { recursive: true, force: true });
    }
    return { wasCurrent: current };
  }

  async #write(): Promise<void> {
    const folder = path.join(this.#folder, 'contexts', 'meta', contextId());
    const meta = {
      Name: dockerContextName,
      Metadata: { Description: 'Wherry' },
      Endpoints: { docker: { Host: this.#host, SkipTLSVerify: false } },
    };
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      // What a replaced context had to log in with is not for this engine.
      await rm(path.join(this.#folder, 'contexts', 'tls', contextId()), { recursive: true, force: true });
      await writeDurably(path.join(folder, 'meta.json'), JSON.stringify(meta), 0o644);
    } catch (cause) {
      throw unusable(`add the docker context ${dockerContextName}`, cause);
    }
  }

  /** Undefined: there is none. What cannot be understood is somebody else's. */
  async #registeredHost(): Promise<string | undefined> {
    const file = path.join(this.#folder, 'contexts', 'meta', contextId(), 'meta.json');
    const text = await readIfThere(file).catch((cause: unknown) => {
      throw unusable('look at the docker contexts', cause);
    });
    if (text === undefined) return undefined;
    const meta = metaSchema.safeParse(parseJson(text));
    return meta.success ? meta.data.Endpoints.docker.Host : '';
  }

  async #isCurrent(): Promise<boolean> {
    return (await this.#readConfig())?.currentContext === dockerContextName;
  }

  async #resetCurrent(): Promise<void> {
    const attempt = 'make docker’s default context the current one';
    const config = await this.#readConfig();
    if (config === undefined) throw new AppError('unavailable', `${attempt}: config.json is damaged`);
    const { currentContext: _ours, ...others } = config;
    try {
      // People keep it elsewhere, by a link; what it is has to stay.
      const file = await realpath(path.join(this.#folder, 'config.json'));
      const { mode } = await stat(file);
      await writeDurably(file, `${JSON.stringify(others, null, '\t')}\n`, mode & 0o777);
    } catch (cause) {
      throw unusable(attempt, cause);
    }
  }

  /** Undefined when there is none, or nothing that docker itself could read. */
  async #readConfig(): Promise<DockerConfig | undefined> {
    const text = await readIfThere(path.join(this.#folder, 'config.json')).catch((cause: unknown) => {
      throw unusable('look at docker’s configuration', cause);
    });
    const config = configSchema.safeParse(text === undefined ? undefined : parseJson(text));
    return config.success ? config.data : undefined;
  }
}

function contextId(): string {
  return createHash('sha256').update(dockerContextName).digest('hex');
}

function taken(verb: 'add' | 'remove', host = ''): AppError {
  const where = host === '' ? 'cannot be read' : `belongs to the engine at ${host}`;
  return new AppError('conflict', `${verb} the docker context ${dockerContextName}: the one there is ${where}`, {
    hint:
      verb === 'add'
        ? 'Replace it (wherry context add --replace), or remove it: docker context rm wherry'
        : 'If it is not needed any more: docker context rm wherry',
  });
}

function unusable(attempt: string, cause: unknown): AppError {
  return new AppError('unavailable', `${attempt}: ${(cause as Error).message}`, {
    hint: 'Make docker’s configuration folder writable for you, or name another one in DOCKER_CONFIG.',
    cause,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
