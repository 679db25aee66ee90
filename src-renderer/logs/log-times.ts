/** RFC 3339 times with any number of decimals (Go leaves out trailing zeros), compared to the nanosecond. */
export function compareTimes(a: string, b: string): number {
  if (a === b) return 0;
  const left = normalTime(a);
  const right = normalTime(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

function normalTime(text: string): string {
  const [, seconds = text, fraction = ''] = /^(.*?T\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(text) ?? [];
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}
