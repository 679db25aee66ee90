import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { guestImageId, openGuestImage, openVerifiedFiles } from '../../../../src-main/vm/guest-image.ts';
import { writeTinyImage } from '../../../helpers/fake-backend.ts';

const none = { has: () => false, add: () => undefined };

async function image(t: TestContext): Promise<{ root: string; folder: string }> {
  const root = await mkdtemp(path.join(tmpdir(), 'wherry-image-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return { root, folder: await writeTinyImage(root) };
}

test('a whole image opens, and its id is known without reading it', async (t) => {
  const { folder } = await image(t);
  const opened = await openGuestImage(folder, none);
  assert.equal(opened.kernel, path.join(folder, 'vmlinuz'));
  assert.equal(await guestImageId(folder), opened.id);
});

test('a missing, short or changed file is refused by name', async (t) => {
  const { folder } = await image(t);
  const kernel = path.join(folder, 'vmlinuz');
  await writeFile(kernel, 'VMLINUZ');
  await assert.rejects(openGuestImage(folder, none), { code: 'image-missing', message: /vmlinuz is damaged/ });
  await writeFile(kernel, 'vm');
  await assert.rejects(openGuestImage(folder, none), { code: 'image-missing', message: /has 2 bytes, not 7/ });
  await rm(kernel);
  await assert.rejects(openGuestImage(folder, none), { code: 'image-missing', message: /vmlinuz is not there/ });
});

test('no image, or a manifest that cannot be read, says how to build one', async (t) => {
  const { root, folder } = await image(t);
  assert.equal(await guestImageId(root), undefined);
  await assert.rejects(openGuestImage(root, none), { code: 'image-missing', hint: /npm run image/ });
  await writeFile(path.join(folder, 'manifest.json'), '{"version": 1');
  await assert.rejects(openGuestImage(folder, none), { code: 'image-missing' });
});

test('a verified file is not read again until it changes', async (t) => {
  const { root, folder } = await image(t);
  const memory = path.join(root, 'verified.json');
  const kernel = path.join(folder, 'vmlinuz');
  const then = new Date(1_700_000_000_000);
  await utimes(kernel, then, then);
  const first = await openVerifiedFiles(memory);
  await openGuestImage(folder, first);
  await first.save();
  await writeFile(kernel, 'VMLINUZ');
  await utimes(kernel, then, then);
  await openGuestImage(folder, await openVerifiedFiles(memory));
  await utimes(kernel, then, new Date());
  await assert.rejects(openGuestImage(folder, await openVerifiedFiles(memory)), { code: 'image-missing' });
  await writeFile(memory, '{');
  assert.equal((await openVerifiedFiles(memory)).has('x'), false);
  assert.equal(await readFile(memory, 'utf8'), '{');
});
