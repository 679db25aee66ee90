/** The context's files against the real docker command, where there is one; no engine runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { DockerContext } from '../../../../src-main/engine/docker-context.ts';

const host = 'unix:///home/sam/.wherry/docker.sock';
const hasDocker = spawnSync('docker', ['--version']).status === 0;
const skip = hasDocker ? false : 'no docker command here';

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-docker-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function docker(folder: string, ...args: string[]) {
  const { DOCKER_HOST: _host, DOCKER_CONTEXT: _context, ...env } = process.env;
  const ended = spawnSync('docker', args, { encoding: 'utf8', env: { ...env, DOCKER_CONFIG: folder } });
  return { code: ended.status, stdout: ended.stdout.trim(), stderr: ended.stderr };
}

function ok(ended: ReturnType<typeof docker>): string {
  assert.equal(ended.code, 0, ended.stderr);
  return ended.stdout;
}

test('docker lists, inspects and uses the context; when it goes, the default is current again', { skip }, async (t) => {
  const folder = await folderFor(t);
  const context = new DockerContext(host, folder);
  ok(docker(folder, 'context', 'create', 'other', '--docker', 'host=tcp://10.0.0.9:2375'));
  assert.deepEqual(await context.inspect(), { state: 'absent', current: false, folder });
  assert.deepEqual(await context.add(false), { state: 'registered', current: false, folder, host });
  await context.add(false);
  const names = () =>
    ok(docker(folder, 'context', 'ls', '-q'))
      .split('\n')
      .toSorted();
  assert.deepEqual(names(), ['default', 'other', 'wherry']);
  assert.equal(ok(docker(folder, 'context', 'show')), 'default', 'adding it changes nobody’s choice');
  assert.equal(ok(docker(folder, 'context', 'inspect', 'wherry', '-f', '{{.Endpoints.docker.Host}}')), host);
  ok(docker(folder, 'context', 'use', 'wherry'));
  assert.equal(ok(docker(folder, 'context', 'show')), 'wherry');
  assert.equal((await context.inspect()).current, true);
  assert.match(docker(folder, 'version').stderr, /home\/sam\/\.wherry\/docker\.sock/);
  assert.deepEqual(await context.remove(), { wasCurrent: true });
  assert.deepEqual(names(), ['default', 'other']);
  assert.equal(ok(docker(folder, 'context', 'show')), 'default');
  assert.deepEqual(await context.remove(), { wasCurrent: false });
});

test('what else docker keeps stays as it is, through a link too', async (t) => {
  const folder = await folderFor(t);
  const kept = path.join(folder, 'elsewhere.json');
  const config = { auths: { 'r.example': { auth: 'c2Vj' } }, currentContext: 'wherry', plugins: { x: { y: 'z' } } };
  await writeFile(kept, JSON.stringify(config));
  await chmod(kept, 0o600);
  await symlink(kept, path.join(folder, 'config.json'));
  const context = new DockerContext(host, folder);
  await context.add(false);
  assert.deepEqual(await context.remove(), { wasCurrent: true });
  const { currentContext: _ours, ...others } = config;
  assert.deepEqual(JSON.parse(await readFile(kept, 'utf8')), others);
  assert.equal((await stat(kept)).mode & 0o777, 0o600);
  assert.equal((await lstat(path.join(folder, 'config.json'))).isSymbolicLink(), true);
});

test('another engine’s context of the name is told, and replaced only when that is meant', async (t) => {
  const folder = await folderFor(t);
  const first = new DockerContext('unix:///first/docker.sock', folder);
  const second = new DockerContext(host, folder);
  await first.add(false);
  const meta = path.join(folder, 'contexts', 'meta');
  assert.equal((await second.inspect()).state, 'other');
  await assert.rejects(second.add(false), { code: 'conflict', message: /unix:\/\/\/first\/docker\.sock/ });
  await assert.rejects(second.remove(), { code: 'conflict', hint: /docker context rm wherry/ });
  assert.equal((await first.inspect()).state, 'registered');
  assert.equal((await second.add(true)).host, host);
  assert.equal((await first.inspect()).state, 'other');
  const [id = ''] = await readdir(meta);
  await writeFile(path.join(meta, id, 'meta.json'), '{"Name":');
  await assert.rejects(second.add(false), { code: 'conflict', message: /cannot be read/ });
  await second.add(true);
  assert.equal((await second.inspect()).state, 'registered');
});

test('a configuration that is damaged or closed is told, and nothing is half done', async (t) => {
  const folder = await folderFor(t);
  const context = new DockerContext(host, path.join(folder, 'config.json', 'x'));
  await writeFile(path.join(folder, 'config.json'), '{"currentContext"');
  await assert.rejects(context.add(false), { code: 'unavailable', hint: /DOCKER_CONFIG/ });
  const damaged = new DockerContext(host, folder);
  await damaged.add(false);
  assert.deepEqual(await damaged.remove(), { wasCurrent: false });
  assert.equal(await readFile(path.join(folder, 'config.json'), 'utf8'), '{"currentContext"');
  await mkdir(path.join(folder, 'empty'));
  assert.deepEqual(await new DockerContext(host, path.join(folder, 'empty')).remove(), { wasCurrent: false });
});
