/**
 * Makes ed25519 key pairs in OpenSSH's own forms (openssh-portable, PROTOCOL.key; RFC 8709).
 *
 * Not by ssh2's `generateKeyPairSync`: it drops a leading zero byte of the public key, so that about one pair in 256
 * cannot be read back (ssh2 1.17, measured 11 of 3000), and a VM made with such a pair would never start.
 */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

export interface OpensshKeyPair {
  /** PEM of an unencrypted `openssh-key-v1`. */
  readonly private: string;
  /** `ssh-ed25519 <base64> <comment>`, without a line end. */
  readonly public: string;
}

const keyType = 'ssh-ed25519';
/** What padding is counted to when nothing is encrypted. */
const blockBytes = 8;

export function makeOpensshKeyPair(comment: string): OpensshKeyPair {
  return writeOpensshKeyPair(generateKeyPairSync('ed25519').privateKey, comment);
}

/** The OpenSSH forms of an ed25519 private key. */
export function writeOpensshKeyPair(key: KeyObject, comment: string): OpensshKeyPair {
  const { x, d } = key.export({ format: 'jwk' });
  if (x === undefined || d === undefined) throw new Error('not an ed25519 private key');
  const publicBytes = Buffer.from(x, 'base64url');
  const publicBlob = Buffer.concat([field(keyType), field(publicBytes)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    ...[check, check, publicBlob],
    ...[field(Buffer.concat([Buffer.from(d, 'base64url'), publicBytes])), field(comment)],
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
