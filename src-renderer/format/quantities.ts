/** Numbers, sizes and times in the window's words. */

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Decimal units, as Docker prints them: `71.2 MB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) return '–';
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
}

const steps: readonly [limitS: number, divisorS: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86_400, 3600, 'hour'],
  [86_400 * 14, 86_400, 'day'],
  [86_400 * 60, 86_400 * 7, 'week'],
  [86_400 * 730, 86_400 * 30.44, 'month'],
  [Infinity, 86_400 * 365.25, 'year'],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'long' });

/** `3 minutes ago`; a time at or before 1970 (Docker's "never", reproducible images) is `–`. */
export function formatAgo(timeMs: number, nowMs: number): string {
  if (!Number.isFinite(timeMs) || timeMs <= 0) return '–';
  const seconds = (nowMs - timeMs) / 1000;
  if (seconds < 5) return 'just now';
  for (const [limit, divisor, unit] of steps) {
    if (seconds < limit) return relative.format(-Math.floor(seconds / divisor), unit);
  }
  return '–';
}

/** `2026-11-22 08:11:54` in the reader's time zone. */
export function formatTime(timeMs: number): string {
  if (!Number.isFinite(timeMs) || timeMs <= 0) return '–';
  const date = new Date(timeMs);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(
    date.getMinutes(),
  )}:${two(date.getSeconds())}`;
}

/** `420 ms`, `6.3 s`, `2 min 5 s`, `3 h 10 min`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** `sha256:0123456789ab…` or a plain id → `0123456789ab`. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** `0.4 %`, `37 %`, `210 %`. */
export function formatPercent(percent: number): string {
  if (!Number.isFinite(percent) || percent < 0) return '–';
  return `${percent.toFixed(percent >= 9.95 || percent === 0 ? 0 : 1)} %`;
}
