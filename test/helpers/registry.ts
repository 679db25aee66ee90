/** A real registry (Debian's docker-registry) on a loopback port, with its data in a temporary folder. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fixtureImage } from '../fixtures/images.ts';
import type { FixtureName } from '../fixtures/images.ts';

const run = promisify(execFile);
const startDeadlineMs = 20_000;

export interface Registry extends AsyncDisposable {
  /** `localhost:12345`, as image references name it. */
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Puts a fixture there as `name:tag`; skopeo's copy options may choose the compression. */
  push(fixture: FixtureName, name: string, copyOptions?: readonly string[]): Promise<void>;
  /** Puts an OCI layout's image (`folder:tag`) there. */
  pushLayout(layout: string, name: string, copyOptions?: readonly string[]): Promise<void>;
  /** `name:tag` becomes an index of images already there; returns its digest. */
  pushIndex(name: string, entries: readonly IndexEntry[]): Promise<string>;
  /** Ends the process and removes its data. Idempotent. */
  close(): Promise<void>;
}

interface IndexEntry {
  /** A tag of the same repository. */
  readonly tag: string;
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** Who alone gets in. */
export interface RegistryLock {
  readonly user: string;
  readonly password: string;
  /** Of its htpasswd file: the password by bcrypt, the one hash it knows. */
  readonly line: string;
}

export const sam: RegistryLock = {
  user: 'sam',
  password: 'oars-and-sails',
  line: 'sam:$2b$05$abcdefghijklmnopqrstuuue3b00cPUW03QEM92yTC0yH9EUjQhUO\n',
};

/** Starts a registry and fills it: `{ 'busybox:latest': 'busybox' }`. */
export async function startRegistry(
  images: Readonly<Record<string, FixtureName>> = {},
  lock?: RegistryLock,
): Promise<Registry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-registry-'));
  const port = await freePort();
  const configuration = path.join(folder, 'config.yml');
  const users = path.join(folder, 'htpasswd');
  if (lock !== undefined) await writeFile(users, lock.line);
  const auth = lock === undefined ? '' : `auth: { htpasswd: { realm: wherry, path: ${users} } }\n`;
  await writeFile(
    configuration,
    `${auth}version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${folder}/data }, delete: { enabled: true } }\nhttp: { addr: "127.0.0.1:${port}" }\n`,
  );
  // It ends also with a test runner that is killed.
  const words = ['--pdeathsig', 'KILL', 'docker-registry', 'serve', configuration];
  const child = spawn('setpriv', words, { stdio: 'ignore' });
  const close = once(async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  });
  const registry = describe(port, close);
  try {
    await answers(registry.url, child);
    const login = lock === undefined ? [] : ['--dest-creds', `${lock.user}:${lock.password}`];
    for (const [name, fixture] of Object.entries(images)) await registry.push(fixture, name, login);
  } catch (error) {
    await close();
    throw error;
  }
  return registry;
}

function describe(port: number, close: () => Promise<void>): Registry {
  const url = `http://127.0.0.1:${port}`;
  const pushLayout = async (layout: string, name: string, copyOptions: readonly string[] = []): Promise<void> => {
    const target = `docker://127.0.0.1:${port}/${name}`;
    await run('skopeo', [
      ...['--insecure-policy', 'copy', '--quiet', '--dest-tls-verify=false', ...copyOptions],
      ...[`oci:${layout}`, target],
    ]);
  };
  return {
    host: `localhost:${port}`,
    port,
    url,
    pushLayout,
    async push(fixture, name, copyOptions) {
      const { layout, tag } = await fixtureImage(fixture);
      await pushLayout(`${layout}:${tag}`, name, copyOptions);
    },
    async pushIndex(name, entries) {
      const [repository = '', tag = 'latest'] = name.split(':');
      const manifests = await Promise.all(
        entries.map(async (entry) => ({ ...(await manifestOf(url, repository, entry.tag)), platform: entry.platform })),
      );
      const mediaType = 'application/vnd.oci.image.index.v1+json';
      const body = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
      const answer = await fetch(`${url}/v2/${repository}/manifests/${tag}`, {
        method: 'PUT',
        headers: { 'Content-Type': mediaType },
        body,
      });
      if (answer.status !== 201) throw new Error(`the registry refused the index: ${await answer.text()}`);
      return `sha256:${createHash('sha256').update(body).digest('hex')}`;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function manifestOf(
  url: string,
  repository: string,
  tag: string,
): Promise<{ mediaType: string; digest: string; size: number }> {
  const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
  const answer = await fetch(`${url}/v2/${repository}/manifests/${tag}`, { headers: { Accept: accept } });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`the registry has no ${repository}:${tag}`);
  return {
    mediaType: answer.headers.get('content-type') ?? '',
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    size: bytes.length,
  };
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  for (const deadline = Date.now() + startDeadlineMs; ;) {
    if (failure !== undefined) throw new Error(`docker-registry: ${failure.message}`, { cause: failure });
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`);
    const ok = await fetch(`${url}/v2/`).then(
      (answer) => answer.ok || answer.status === 401,
      () => false,
    );
    if (ok) return;
    if (Date.now() > deadline) throw new Error(`docker-registry does not answer on ${url}`);
    await delay(50);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await ended;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

function once(work: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => (result ??= work());
}
