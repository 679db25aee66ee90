/** What QEMU is told to hand its state over, and what becomes of the guest when that fails; QEMU's end is played by the test. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { Qmp } from '../../../../../src-main/vm/qemu/qmp.ts';
import { letGo, loadState, saveState } from '../../../../../src-main/vm/qemu/saved-state.ts';
import { startFakeQmp, type QmpAnswer } from '../../../../helpers/fake-qmp.ts';

const state = Buffer.alloc(300_000, 'memory');
const done = { return: {} };

async function setUp(t: TestContext, answer: QmpAnswer) {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-state-'));
  const fake = await startFakeQmp(answer);
  const qmp = await Qmp.connect(fake, 5000);
  t.after(async () => {
    await qmp[Symbol.asyncDispose]();
    await fake[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  const said = () => fake.commands.map(({ execute }) => execute).filter((word) => word !== 'query-migrate');
  return { qmp, fake, said, file: path.join(folder, 'state'), socket: path.join(folder, 'state.sock') };
}

/** QEMU writing `bytes` to where it was told. */
function migrateTo(uri: unknown, bytes: Buffer): void {
  const socket = net.connect(String(uri).replace('unix:', ''));
  socket.end(bytes);
}

test('halts, takes the state, and leaves the guest halted', async (t) => {
  let status: string | undefined;
  const { qmp, fake, said, file, socket } = await setUp(t, ({ execute, arguments: { uri } }) => {
    if (execute === 'migrate') {
      migrateTo(uri, state);
      status = 'active';
      setTimeout(() => (status = 'completed'), 30);
    }
    return execute === 'query-migrate' ? { return: status === undefined ? {} : { status } } : done;
  });
  const saved = await saveState(qmp, socket, file);
  assert.deepEqual(saved, { path: file, sizeBytes: state.length, checksum: crc32(state) });
  assert.deepEqual(await readFile(file), state);
  assert.deepEqual(said(), ['qmp_capabilities', 'migrate-set-parameters', 'stop', 'migrate']);
  assert.deepEqual(fake.commands.at(-1)?.execute, 'query-migrate');
  assert.equal(existsSync(socket), false);
});

test('what cannot be saved is not even halted', async (t) => {
  const { qmp, said, file, socket } = await setUp(t, ({ execute }) =>
    execute === 'query-migrate' ? { return: { 'blocked-reasons': ['State blocked by the whpx accelerator'] } } : done,
  );
  const refused = { code: 'unsupported', message: 'put the VM to sleep: State blocked by the whpx accelerator' };
  await assert.rejects(saveState(qmp, socket, file), refused);
  assert.deepEqual(said(), ['qmp_capabilities']);
});

for (const [what, atMigrate, atQuery, reason] of [
  ['QEMU refuses', { error: { class: 'GenericError', desc: 'not now' } }, {}, /not now/],
  ['it fails half way', done, { status: 'failed', 'error-desc': 'No space left on device' }, /No space left/],
] as const) {
  test(`${what}: the guest runs on, and no file is left`, async (t) => {
    let asked = false;
    const { qmp, said, file, socket } = await setUp(t, ({ execute }) => {
      if (execute === 'migrate') {
        asked = true;
        return atMigrate;
      }
      return execute === 'query-migrate' ? { return: asked ? atQuery : {} } : done;
    });
    await assert.rejects(saveState(qmp, socket, file), reason);
    assert.deepEqual(said().slice(-3), ['migrate', 'migrate_cancel', 'cont']);
    assert.equal(existsSync(file), false);
  });
}

test('cancelled half way: the guest runs on once QEMU has broken it off', async (t) => {
  const wish = new AbortController();
  let status = 'active';
  let polls = 0;
  const { qmp, said, file, socket } = await setUp(t, ({ execute }) => {
    if (execute === 'migrate_cancel') status = 'cancelling';
    if (execute !== 'query-migrate') return done;
    polls += 1;
    if (polls === 1) return { return: {} };
    if (polls === 2) wish.abort(new Error('changed my mind'));
    if (polls > 4) status = 'cancelled';
    return { return: { status } };
  });
  await assert.rejects(saveState(qmp, socket, file, wish.signal), { message: 'changed my mind' });
  assert.deepEqual(said().slice(-3), ['migrate', 'migrate_cancel', 'cont']);
  assert.ok(polls > 4, 'cont would be refused before');
});

test('one that runs is let go without harm', async (t) => {
  const { qmp, said } = await setUp(t, ({ execute }) => (execute === 'query-migrate' ? { return: {} } : done));
  await letGo(qmp);
  assert.deepEqual(said(), ['qmp_capabilities', 'migrate_cancel', 'cont']);
});

/** Ends the stream as soon as all has come, as QEMU does. */
async function readState(stream: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes === state.length) break;
  }
  stream.destroy();
  return Buffer.concat(chunks);
}

/** A QEMU that waits for a state, and reads it all unless it hangs up. `received` is what came. */
function startIncoming(t: TestContext, { hangsUp = false, onQuery = () => {} } = {}) {
  let status = 'active';
  let received: Promise<Buffer> | undefined;
  const incoming = setUp(t, async ({ execute }) => {
    if (execute === 'migrate-incoming') await listen();
    if (execute === 'query-migrate') onQuery();
    return execute === 'query-migrate' ? { return: { status } } : done;
  });
  const listen = async () => {
    const server = net.createServer((stream) => {
      server.close();
      stream.on('error', () => undefined);
      // What was not read makes its end a reset.
      if (hangsUp) stream.once('readable', () => stream.destroy());
      else received = readState(stream).finally(() => (status = 'completed'));
    });
    const { socket } = await incoming;
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  };
  return { incoming, received: () => received };
}

for (const [what, checksum, reason] of [
  ['hands the state over whole', crc32(state), undefined],
  ['finds damage', 1, /damaged/],
] as const) {
  test(`loading ${what}`, async (t) => {
    const { incoming, received } = startIncoming(t);
    const { qmp, said, file, socket } = await incoming;
    await writeFile(file, state);
    const loading = loadState(qmp, socket, { path: file, sizeBytes: state.length, checksum });
    if (reason === undefined) {
      assert.equal(await loading, true);
      assert.deepEqual(await received(), state);
    } else await assert.rejects(loading, reason);
    assert.deepEqual(said(), ['qmp_capabilities', 'migrate-incoming'], 'it is not let go here');
  });
}

for (const sizeBytes of [300_000, 5_000_000]) {
  test(`QEMU hangs up on a state of ${sizeBytes} bytes: damage is told as such, else that it did not take it`, async (t) => {
    const bytes = Buffer.alloc(sizeBytes, 'memory');
    const { qmp, file, socket } = await startIncoming(t, { hangsUp: true }).incoming;
    await writeFile(file, bytes);
    await assert.rejects(loadState(qmp, socket, { path: file, sizeBytes, checksum: 1 }), /damaged/);
    assert.equal(await loadState(qmp, socket, { path: file, sizeBytes, checksum: crc32(bytes) }), false);
  });
}

test('QEMU reads it all and ends over it: it did not take it', async (t) => {
  const { incoming } = startIncoming(t, { onQuery: () => void incoming.then(({ fake }) => fake.cut()) });
  const { qmp, file, socket } = await incoming;
  await writeFile(file, state);
  assert.equal(await loadState(qmp, socket, { path: file, sizeBytes: state.length, checksum: crc32(state) }), false);
});
