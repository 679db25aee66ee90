/** The last suite of a run: after all the others there is in the guest what was there before the first, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atStart, dockerSuite, engine, home, imagesAtStart } from '../helpers/docker.ts';
import { compareTraces, traceGuest } from '../helpers/guest-trace.ts';
import { until } from '../helpers/until.ts';

dockerSuite('after everything', () => {
  test('nothing is left', async () => {
    for (const { Id } of await engine.listImages({ all: true })) {
      // Children take their parents along.
      if (!imagesAtStart.has(Id))
        await engine
          .getImage(Id)
          .remove({ force: true })
          .catch(() => undefined);
    }
    await engine.pruneImages({ filters: { dangling: ['true'] } });
    for (const [kind, lines] of Object.entries(atStart)) assert.ok(lines.length > 0, `${kind} were not told`);
    let left: readonly string[] = [];
    const compare = async (): Promise<boolean> => {
      left = compareTraces(atStart, await traceGuest(home));
      return left.length === 0;
    };
    // Connections that a client keeps end a minute after their last use (`keepAliveTimeout`).
    await until('nothing is left', compare).catch(() => undefined);
    assert.deepEqual(left, []);
  });
});
