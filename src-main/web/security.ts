/** Who may talk to the web shell: only this machine's own page, and only with this run's secret. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Names under which a browser reaches a loopback server. Any other Host came through someone else's DNS name. */
const loopbackHost = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;

/** Refuses a request whose Host is a foreign name (DNS rebinding). */
export function hasLoopbackHost(request: IncomingMessage): boolean {
  return loopbackHost.test(request.headers.host ?? '');
}

/** A WebSocket handshake of this very page: browsers always send Origin with it, other sites cannot forge it. */
export function hasOwnOrigin(request: IncomingMessage): boolean {
  const { host, origin } = request.headers;
  return host !== undefined && origin === `http://${host}`;
}

/** Takes as long for any wrong secret. */
export function isSecret(given: unknown, secret: string): boolean {
  if (typeof given !== 'string') return false;
  return timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Not every browser counts WebSockets of the same host as 'self'. */
export function ownSockets(port: number): string {
  return `'self' ws://127.0.0.1:${port} ws://localhost:${port}`;
}

/**
 * Headers of every answer. Inline styles are allowed because xterm's renderer makes `<style>` elements and `style`
 * attributes for its theme and true colours and offers no nonce; scripts come from the window's own files only.
 * @param connectSources what the page may connect to, in the policy's words
 */
export function securityHeaders(connectSources: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ${connectSources}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), display-capture=()',
  };
}
