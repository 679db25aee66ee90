/** The key sequence that leaves an attached terminal (`ctrl-p,ctrl-q`). */
import { EngineError } from '../../contract/errors.ts';

const defaultKeys = 'ctrl-p,ctrl-q';

/** Matches the sequence across chunks. Keys of a begun sequence are held back until it is broken. */
export class DetachKeys {
  private readonly sequence: Buffer;
  private matched = 0;

  /** `a,ctrl-b,…`; empty: the default. Throws `invalid-parameter`. */
  constructor(keys: string) {
    this.sequence = Buffer.from((keys === '' ? defaultKeys : keys).split(',').map(keyCode));
  }

  feed(chunk: Buffer): { readonly pass: Buffer; readonly detached: boolean } {
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte === this.sequence[this.matched]) {
        this.matched += 1;
        if (this.matched === this.sequence.length) return { pass: Buffer.from(pass), detached: true };
        continue;
      }
      pass.push(...this.sequence.subarray(0, this.matched));
      this.matched = byte === this.sequence[0] ? 1 : 0;
      if (this.matched === 0) pass.push(byte);
    }
    return { pass: Buffer.from(pass), detached: false };
  }
}

function keyCode(key: string): number {
  const match = /^ctrl-([a-z@[\\\]^_])$/.exec(key);
  if (match !== null) return (match[1] ?? '').toUpperCase().charCodeAt(0) & 0x1f;
  if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
  throw new EngineError('invalid-parameter', `Invalid detach keys provided: unknown character: '${key}'`);
}
