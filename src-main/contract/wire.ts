/**
 * The frames that carry {@link HostClient} over any transport: WebSocket (web shell), Electron IPC, and the control
 * socket between two Wherry processes (newline-delimited JSON). Ids are chosen by the client and never reused.
 *
 * Flow control is by credit: a stream starts with {@link streamCredit} items; the client returns credit with `ack` as
 * items are consumed; the server pauses the source at zero.
 */
import type { ErrorView } from './errors.ts';

export const streamCredit = 64;

/** Version of these frames; the two ends say it first and refuse each other when it differs. */
export const wireVersion = 1;

export type ClientFrame =
  | { readonly t: 'hello'; readonly version: number }
  | { readonly t: 'call'; readonly id: number; readonly channel: string; readonly input: unknown }
  | { readonly t: 'cancel'; readonly id: number }
  | { readonly t: 'subscribe'; readonly id: number; readonly topic: string }
  | { readonly t: 'unsubscribe'; readonly id: number }
  | { readonly t: 'open'; readonly id: number; readonly stream: string; readonly input: unknown }
  | { readonly t: 'send'; readonly id: number; readonly message: unknown }
  | { readonly t: 'ack'; readonly id: number; readonly items: number }
  | { readonly t: 'close'; readonly id: number };

export type ServerFrame =
  | { readonly t: 'hello'; readonly version: number }
  | { readonly t: 'result'; readonly id: number; readonly value: unknown }
  | { readonly t: 'error'; readonly id: number; readonly error: ErrorView }
  | { readonly t: 'value'; readonly id: number; readonly value: unknown }
  | { readonly t: 'item'; readonly id: number; readonly item: unknown }
  | { readonly t: 'end'; readonly id: number };
