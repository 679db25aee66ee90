/** List and inspect with many containers, which are created and never started. They stay: this row is the last. */
import type { Engines } from './engines.ts';
import { median, time } from './measure.ts';
import { pairs, report, type Images } from './subjects.ts';

const containerCount = 500;
const atOnce = 4;

export async function benchLists(engines: Engines, image: Images, count: number): Promise<void> {
  for (const [subject, engine, name] of pairs(engines, image)) {
    const ids: string[] = [];
    const create = async (): Promise<void> => {
      while (ids.length < containerCount) {
        const at = ids.push('') - 1;
        ids[at] = await engine.create({ Image: name, Cmd: ['true'], Labels: { number: String(at) } });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, create));
    const list = await time(async () => {
      const listed = JSON.parse(await engine.call('GET', '/containers/json?all=1')) as unknown[];
      if (listed.length < containerCount) throw new Error(`${String(listed.length)} are listed`);
    }, count);
    report('list 500 containers', subject, median(list), 'ms');
    const inspect = await time(
      async () => {
        for (const id of ids) await engine.call('GET', `/containers/${id}/json`);
      },
      3,
      1,
    );
    report('inspect 500 containers', subject, median(inspect), 'ms');
  }
}
