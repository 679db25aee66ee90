/** Signal names and numbers as the Engine API takes them. */
import { constants } from 'node:os';
import { EngineError } from '../../contract/errors.ts';

const numbers = constants.signals as Readonly<Record<string, number | undefined>>;
export const maxSignal = 64;
/** First real-time signal as glibc counts. */
const realtimeMin = 34;

/** `KILL`, `SIGKILL`, `9`, `RTMIN+3`. Throws `invalid-parameter`. */
export function parseSignal(text: string): number {
  const name = text.toUpperCase();
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= maxSignal) return number;
  }
  const bare = name.replace(/^SIG/, '');
  const known = numbers[`SIG${bare}`];
  if (known !== undefined) return known;
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(bare);
  if (realtime !== null) {
    const offset = Number(realtime[3] ?? 0) * (realtime[2] === '-' ? -1 : 1);
    const number = (realtime[1] === 'MIN' ? realtimeMin : maxSignal) + offset;
    if (number >= realtimeMin && number <= maxSignal) return number;
  }
  throw new EngineError('invalid-parameter', `Invalid signal: ${text}`);
}
