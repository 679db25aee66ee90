/** Names as somebody might choose them to break a page: markup, escapes, turned direction, and no end. */
export const hostileNames: readonly string[] = [
  '<img src=x onerror="window.hacked=1">',
  '\u202egnp.exe',
  '\u001b[31mred\u001b]8;;http://evil.example\u0007link',
  'tabs\tand\nlines\u0000',
  'long'.repeat(25_000),
];
