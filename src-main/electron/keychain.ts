/**
 * The system's keychain, by Electron's `safeStorage`: Keychain on macOS, DPAPI on Windows, a secret service on Linux.
 *
 * By its older calls, which answer at once: where a secret is kept is part of a topic's value, which cannot wait.
 */
/* eslint-disable @typescript-eslint/no-deprecated -- see above */
import type { SafeStorage } from 'electron';
import type { Sealer } from '../secrets/secret-store.ts';

type Storage = Pick<
  SafeStorage,
  'isEncryptionAvailable' | 'encryptString' | 'decryptString' | 'getSelectedStorageBackend'
>;

/** On Linux without a secret service Electron seals with a password that everybody knows: that is no keychain. */
export function keychainSealer(storage: Storage, platform: NodeJS.Platform = process.platform): Sealer {
  return {
    get available() {
      if (!storage.isEncryptionAvailable()) return false;
      return platform !== 'linux' || !['basic_text', 'unknown'].includes(storage.getSelectedStorageBackend());
    },
    seal: (text) => storage.encryptString(text),
    open: (sealed) => storage.decryptString(sealed),
  };
}
