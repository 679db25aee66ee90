import type { SecretPlace } from '../../../src-main/contract/registries.ts';

/** Where the password of a login made now goes, as it is. */
export function KeptIn({ keeps }: { keeps: SecretPlace }) {
  return (
    <p className="quiet kept-in">
      {keeps === 'keychain' ? (
        'Passwords are sealed by this system’s keychain.'
      ) : (
        <>
          From here there is no way to the system’s keychain: passwords are kept as they are in{' '}
          <code>secrets.json</code> in Wherry’s home, a file that only you can read.
        </>
      )}
    </p>
  );
}
