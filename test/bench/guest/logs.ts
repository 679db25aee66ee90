/** How fast a client that follows gets what a container prints, from the first byte asked for to the stream's end. */
import type { Engines } from './engines.ts';
import { median } from './measure.ts';
import { pairs, report, type Images } from './subjects.ts';

const lineCount = 100_000;
const line = 'all hands on deck, the wherry leaves with the tide and carries what fits into her; '.padEnd(99, '.');
const megabytes = (lineCount * (line.length + 1)) / 1e6;
const runs = 3;
const frameHeader = 8;

export async function benchFollow(engines: Engines, image: Images): Promise<void> {
  for (const [subject, engine, name] of pairs(engines, image)) {
    const seconds: number[] = [];
    for (let run = 0; run < runs; run++) {
      const id = await engine.create({
        Image: name,
        Cmd: ['sh', '-c', `yes '${line}' | head -n ${String(lineCount)}`],
      });
      await engine.call('POST', `/containers/${id}/start`);
      const startedAt = performance.now();
      const bytes = await engine.drain(`/containers/${id}/logs?follow=1&stdout=1`);
      seconds.push((performance.now() - startedAt) / 1000);
      if (bytes < lineCount * (line.length + 1) + frameHeader) throw new Error(`only ${String(bytes)} bytes came`);
      await engine.call('DELETE', `/containers/${id}?force=1`);
    }
    report('log follow, lines', subject, lineCount / median(seconds), 'lines/s');
    report('log follow, bytes', subject, megabytes / median(seconds), 'MB/s');
  }
}
