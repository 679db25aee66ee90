import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { keychainSealer } from '../../../../src-main/electron/keychain.ts';
import { FileSecrets } from '../../../../src-main/secrets/secret-store.ts';

async function secretsFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'wherry-secrets-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return path.join(folder, 'secrets.json');
}

/** Electron's safeStorage, with a key of its own. */
class Keychain {
  available = true;
  backend: ReturnType<Electron.SafeStorage['getSelectedStorageBackend']> = 'gnome_libsecret';
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  isEncryptionAvailable = () => this.available;
  getSelectedStorageBackend = () => this.backend;
  encryptString = (text: string) => Buffer.from(`${this.#key}:${Buffer.from(text).toString('hex')}`);
  decryptString = (sealed: Buffer) => {
    const [key, hex = ''] = sealed.toString().split(':');
    if (key !== this.#key) throw new Error('Error while decrypting the ciphertext provided to safeStorage');
    return Buffer.from(hex, 'hex').toString();
  };
}

test('without a keychain secrets are in a file of the user alone, and survive a restart', async (t) => {
  const file = await secretsFile(t);
  const store = await FileSecrets.open(file);
  assert.equal(store.place, 'file');
  let changes = 0;
  store.onChange(() => (changes += 1));
  await store.put('registry a', 'sam', 'oars');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const again = await FileSecrets.open(file);
  assert.equal(again.get('registry a'), 'oars');
  assert.deepEqual(again.list(), [{ name: 'registry a', label: 'sam', place: 'file', readable: true }]);
  await store.remove('registry a');
  assert.deepEqual((await FileSecrets.open(file)).list(), []);
  assert.equal(changes, 2);
});

test('with a keychain the file holds nothing that can be read, and other processes say so', async (t) => {
  const file = await secretsFile(t);
  const keychain = new Keychain('one');
  const store = await FileSecrets.open(file, keychainSealer(keychain, 'linux'));
  await store.put('registry a', 'sam', 'oars-and-sails');
  assert.equal(store.get('registry a'), 'oars-and-sails');
  assert.doesNotMatch(await readFile(file, 'utf8'), /oars-and-sails/);

  const sealedElsewhere = [{ name: 'registry a', label: 'sam', place: 'keychain', readable: false }];
  const without = await FileSecrets.open(file);
  assert.equal(without.get('registry a'), undefined);
  assert.deepEqual(without.list(), sealedElsewhere);
  const other = await FileSecrets.open(file, keychainSealer(new Keychain('two'), 'linux'));
  assert.deepEqual(other.list(), sealedElsewhere);
  // What it keeps itself leaves the sealed one as it is.
  await without.put('registry b', 'kim', 'rope');
  const back = await FileSecrets.open(file, keychainSealer(keychain, 'linux'));
  assert.equal(back.get('registry a'), 'oars-and-sails');
  assert.equal(back.get('registry b'), 'rope');
});

test('a keychain is one only where its key is a secret, and only once it is there', async (t) => {
  const keychain = new Keychain('one');
  const store = await FileSecrets.open(await secretsFile(t), keychainSealer(keychain, 'linux'));
  keychain.available = false;
  assert.equal(store.place, 'file');
  keychain.available = true;
  keychain.backend = 'basic_text';
  assert.equal(store.place, 'file');
  assert.equal(keychainSealer(keychain, 'darwin').available, true);
});

test('several changes at once are all kept', async (t) => {
  const file = await secretsFile(t);
  const store = await FileSecrets.open(file);
  await Promise.all(['a', 'b', 'c'].map((name) => store.put(name, '', name)));
  await Promise.all([store.remove('b'), store.put('constructor', '', 'd')]);
  const names = (await FileSecrets.open(file)).list().map(({ name }) => name);
  assert.deepEqual(names, ['a', 'c', 'constructor']);
  assert.equal(store.get('toString'), undefined);
});

test('a file that is no such file is set aside', async (t) => {
  const file = await secretsFile(t);
  await writeFile(file, '{"secrets": 7');
  const store = await FileSecrets.open(file);
  await store.put('a', '', 'b');
  assert.deepEqual((await readdir(path.dirname(file))).sort(), ['secrets.json', 'secrets.json.damaged']);
});
