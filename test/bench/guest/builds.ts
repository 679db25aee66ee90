/** A small build, with nothing in the cache and with all of it. */
import { tar } from '../../helpers/tar.ts';
import type { Engines } from './engines.ts';
import { median, time } from './measure.ts';
import { pairs, report, type Images } from './subjects.ts';

const buildCount = 3;

/** Six steps: files from the context, three programs that run, settings. */
function context(base: string): Buffer {
  const dockerfile = [
    `FROM ${base}`,
    'WORKDIR /app',
    'COPY file /app/file',
    'RUN mkdir made && cp file made/one',
    'RUN cat made/one > made/two',
    'RUN rm made/one',
    'ENV A=b',
    'CMD ["cat", "made/two"]',
  ].join('\n');
  return tar({ name: 'Dockerfile', data: dockerfile }, { name: 'file', data: Buffer.alloc(1_000_000, 'wherry ') });
}

export async function benchBuild(engines: Engines, image: Images): Promise<void> {
  for (const [subject, engine, base] of pairs(engines, image)) {
    const archive = context(base);
    const cold = await time(() => engine.build(archive, 'nocache=1&rm=1&t=bench:cold'), buildCount, 1);
    report('build, cold cache', subject, median(cold), 'ms');
    const warm = await time(() => engine.build(archive, 'rm=1&t=bench:warm'), buildCount, 1);
    report('build, warm cache', subject, median(warm), 'ms');
  }
}
