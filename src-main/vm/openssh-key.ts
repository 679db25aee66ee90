/**
 * Makes ed25519 key pairs in OpenSSH's own forms (openssh-portable, PROTOCOL.key; RFC 8709).
 *
 * Not by ssh2's `generateKeyPairSync`: it drops a leading zero byte of the public key, so that about one pair in 256
 * cannot be read back (ssh2 1.17, measured 11 of 3000), and a VM made with such a pair would never start.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';

export interface OpensshKeyPair {
  /** PEM of an unencrypted `openssh-key-v1`. */
  readonly private: string;
  /** `ssh-ed25519 <base64> <comment>`, without a line end. */
  readonly public: string;
}

/** The encodings of one ed25519 key pair (RFC 8410, sections 4 and 7). */
export interface Ed25519Der {
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  /** PKCS #8. */
  readonly privateKey: Uint8Array;
}

const keyType = 'ssh-ed25519';
/** Both halves of an ed25519 key have this size, and are the last thing in their encodings (RFC 8410, section 3). */
const halfBytes = 32;
/** What padding is counted to when nothing is encrypted. */
const blockBytes = 8;

export function makeOpensshKeyPair(comment: string): OpensshKeyPair {
  return writeOpensshKeyPair(makeEd25519Der(), comment);
}

/**
 * Encoded by the generator, since exporting a generated `KeyObject` may never come back: Node holds the key's lock while
 * it makes the result's strings, and a garbage collection in there that ends the generator's job takes the same lock
 * (Node 20, `ExportJWK` and `~KeyGenJob`; seen once in some thousand exports).
 */
export function makeEd25519Der(): Ed25519Der {
  return generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
}

/** The OpenSSH forms of an ed25519 key pair. */
export function writeOpensshKeyPair(key: Ed25519Der, comment: string): OpensshKeyPair {
  const publicBytes = Buffer.from(key.publicKey).subarray(-halfBytes);
  const seed = Buffer.from(key.privateKey).subarray(-halfBytes);
  const publicBlob = Buffer.concat([field(keyType), field(publicBytes)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    ...[check, check, publicBlob],
    ...[field(Buffer.concat([seed, publicBytes])), field(comment)],
  ]);
  const padding = Buffer.from(Array.from({ length: -secret.length & (blockBytes - 1) }, (_, index) => index + 1));
  const whole = Buffer.concat([
    ...[Buffer.from('openssh-key-v1\0'), field('none'), field('none'), field('')],
    ...[uint32(1), field(publicBlob), field(Buffer.concat([secret, padding]))],
  ]);
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? [];
  return {
    private: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    public: `${keyType} ${publicBlob.toString('base64')} ${comment}`,
  };
}

/** A string of the SSH wire format (RFC 4251, section 5). */
function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
