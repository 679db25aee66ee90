/** RFC 3339 times with any number of decimals (Go leaves out trailing zeros), compared to the nanosecond. */
export function compareTimes(a: string, b: string): number {
  if (a === b) return 0;
  const left = timeKey(a);
  const right = timeKey(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A text that sorts as the time does. */
export function timeKey(text: string): string {
  const [, seconds = text, fraction = ''] = /^(.*?T\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(text) ?? [];
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}
