/** Names from outside, for places that the system draws: menus and notifications. */

/** In one line, without control and direction characters, and without what notification servers take for markup. */
export function plainText(text: string, maxLength = 60): string {
  const plain = text
    .slice(0, 4 * maxLength)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>]/gu, ' ')
    .trim();
  return plain.length > maxLength ? `${plain.slice(0, maxLength - 1)}…` : plain;
}

/** An & before a letter would underline it. */
export function menuText(text: string): string {
  return plainText(text).replaceAll('&', '&&');
}
