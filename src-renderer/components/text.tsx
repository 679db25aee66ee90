import { useNow } from '../stores/now.ts';
import { formatAgo, formatTime } from '../format/quantities.ts';
import { visibleText } from '../format/unsafe-text.ts';

/** Text from outside on one line: hidden characters made visible, its direction kept to itself, cut where room ends. */
export function Outside({ text, className, limit }: { text: string; className?: string; limit?: number }) {
  const shown = visibleText(text, limit);
  return (
    <bdi className={className === undefined ? 'outside' : `outside ${className}`} title={shown}>
      {shown}
    </bdi>
  );
}

/** `3 minutes ago`, with the exact time on hover. */
export function Ago({ timeMs }: { timeMs: number }) {
  const now = useNow();
  return (
    <time className="outside" title={formatTime(timeMs)} {...(timeMs > 0 ? { dateTime: isoTime(timeMs) } : {})}>
      {formatAgo(timeMs, now)}
    </time>
  );
}

function isoTime(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
