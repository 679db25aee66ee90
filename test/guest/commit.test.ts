/** A container's changes and images made of them, on real overlays with shifted ids. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { guestPaths } from '../../vm/contract/wherry-api.ts';
import { call, createContainer, runToEnd, starterImage, starterReady } from './engine-client.ts';

before(starterReady);

interface Change {
  readonly Path: string;
  readonly Kind: number;
}

interface ImageInspect {
  readonly Id: string;
  readonly Parent: string;
  readonly Author: string;
  readonly Comment: string;
  readonly Config: { readonly Cmd: string[] | null; readonly Env: string[]; readonly Labels: Record<string, string> };
  readonly RootFS: { readonly Layers: string[] };
}

async function commit(t: TestContext, query: string, body: object = {}): Promise<ImageInspect> {
  const answer = await call('POST', `/commit?${query}`, body);
  assert.equal(answer.status, 201, answer.body);
  const { Id } = answer.json<{ Id: string }>();
  t.after(() => call('DELETE', `/images/${Id}?force=1`));
  return (await call('GET', `/images/${Id}/json`)).json<ImageInspect>();
}

async function changesOf(id: string): Promise<string[]> {
  const answer = await call('GET', `/containers/${id}/changes`);
  assert.equal(answer.status, 200, answer.body);
  const changes = answer.json<Change[] | null>() ?? [];
  return changes.map(({ Path, Kind }) => `${'CAD'.charAt(Kind)} ${Path}`);
}

function mountsLeft(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${guestPaths.run}/roots/`));
}

test('diff: nothing, then what was added, changed and deleted', async (t) => {
  const idle = await runToEnd(t, { Cmd: ['true'] });
  assert.deepEqual(await changesOf(idle.id), []);
  const fresh = await createContainer(t, { Cmd: ['true'] });
  assert.deepEqual(await changesOf(fresh), []);
  const script = [
    'mkdir /new /new/in && echo x > /new/in/file',
    'echo me >> /etc/passwd',
    'rm /etc/group',
    'rm -rf /var && mkdir /var && touch /var/only',
    'ln -s passwd /etc/link',
  ];
  const ran = await runToEnd(t, { Cmd: ['sh', '-c', script.join(' && ')] });
  assert.equal(ran.exitCode, 0, ran.stderr);
  const changes = await changesOf(ran.id);
  for (const expected of [
    'A /new',
    'A /new/in',
    'A /new/in/file',
    'C /etc',
    'C /etc/passwd',
    'D /etc/group',
    'A /etc/link',
  ]) {
    assert.ok(changes.includes(expected), `${expected} in ${changes.join(', ')}`);
  }
  assert.deepEqual(
    changes.filter((line) => /\/(?:proc|sys|dev|etc\/hosts|etc\/hostname|etc\/resolv\.conf)$/.test(line)),
    [],
  );
  assert.deepEqual(
    changes,
    [...changes].sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1)),
  );
  assert.equal((await call('GET', '/containers/nobody/changes')).status, 404);
  assert.deepEqual(mountsLeft(), []);
});

test('commit: files, owners, links, capabilities and deletions are in the image; ids are those inside', async (t) => {
  const script = [
    'echo one > /file && chown 1000:1001 /file && chmod 4750 /file',
    'ln /file /hard && ln -s file /soft && mkfifo /pipe',
    'rm /etc/group',
    'mkdir -p /made/deep && chown -R 7:8 /made',
  ];
  const ran = await runToEnd(t, { Cmd: ['sh', '-c', script.join(' && ')] });
  assert.equal(ran.exitCode, 0, ran.stderr);
  const image = await commit(
    t,
    `container=${ran.id}&repo=committed&tag=one&author=A%20B&comment=why&changes=ENV%20X%3Dy%20Z%3D%22a%20b%22&changes=CMD%20%5B%22cat%22%2C%22%2Ffile%22%5D`,
    { Labels: { by: 'test' } },
  );
  assert.deepEqual([image.Author, image.Config.Cmd, image.Config.Labels], ['A B', ['cat', '/file'], { by: 'test' }]);
  assert.ok(image.Config.Env.includes('X=y') && image.Config.Env.includes('Z=a b'), String(image.Config.Env));
  const again = await runToEnd(t, { Image: 'committed:one' });
  assert.equal(again.stdout, 'one\n');
  const look = await runToEnd(t, {
    Image: 'committed:one',
    Cmd: ['sh', '-c', 'stat -c "%n %a %u:%g %h %F" /file /hard /soft /pipe /made /made/deep; ls /etc/group'],
  });
  assert.deepEqual(look.stdout.trim().split('\n'), [
    '/file 4750 1000:1001 2 regular file',
    '/hard 4750 1000:1001 2 regular file',
    '/soft 777 0:0 1 symbolic link',
    '/pipe 644 0:0 1 fifo',
    '/made 755 7:8 3 directory',
    '/made/deep 755 7:8 2 directory',
  ]);
  assert.match(look.stderr, /No such file/);
  const history = (await call('GET', '/images/committed:one/history')).json<{ Id: string; Comment: string }[]>();
  assert.deepEqual([history[0]?.Id, history[0]?.Comment], [image.Id, 'why']);
});

test('commit of a running container pauses it and lets it go on; an empty change makes no layer', async (t) => {
  const id = await createContainer(t, { Cmd: ['sh', '-c', 'echo first > /f; sleep 1000'] });
  await call('POST', `/containers/${id}/start`);
  for (;;) if ((await changesOf(id)).includes('A /f')) break;
  const base = (await call('GET', `/images/${starterImage}/json`)).json<ImageInspect>();
  const image = await commit(t, `container=${id}`);
  assert.equal(image.RootFS.Layers.length, base.RootFS.Layers.length + 1);
  const state = (await call('GET', `/containers/${id}/json`)).json<{ State: { Status: string } }>().State;
  assert.equal(state.Status, 'running');
  const idle = await runToEnd(t, { Cmd: ['true'] });
  const empty = await commit(t, `container=${idle.id}`);
  assert.deepEqual(empty.RootFS.Layers, base.RootFS.Layers);
});

test('what cannot be committed, in Docker’s words; an image with children cannot go', async (t) => {
  assert.equal((await call('POST', '/commit?container=nobody')).status, 404);
  const ran = await runToEnd(t, { Cmd: ['sh', '-c', 'echo x > /x'] });
  for (const [query, status, words] of [
    ['repo=Upper', 400, /must be lowercase/],
    ['changes=RUN%20x', 400, /RUN is not a valid change command/],
    ['changes=NONSENSE', 400, /unknown instruction: NONSENSE/],
  ] as const) {
    const refused = await call('POST', `/commit?container=${ran.id}&${query}`);
    assert.deepEqual([refused.status, words.test(refused.body)], [status, true], refused.body);
  }
  const parent = await commit(t, `container=${ran.id}`);
  const child = await commit(
    t,
    `container=${(await runToEnd(t, { Image: parent.Id, Cmd: ['sh', '-c', 'echo y > /y'] })).id}`,
  );
  assert.equal(child.Parent, parent.Id);
  const kept = await call('DELETE', `/images/${parent.Id}?force=1`);
  assert.equal(kept.status, 409, kept.body);
  assert.match(kept.body, /image has dependent child images/);
});

test('nothing is left over', () => {
  assert.deepEqual(mountsLeft(), []);
  assert.deepEqual(
    readdirSync(`${guestPaths.data}/layers`).filter((name) => name.startsWith('tmp-')),
    [],
  );
});
