/** The API's table in the README is what the routes say, and what is refused really answers so. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { refusals } from '../../../../../vm/agent/http/no-swarm.ts';
import { engineErrorStatus } from '../../../../../vm/contract/errors.ts';
import { apiPaths } from '../../../../helpers/api-paths.ts';
import { apiEntries, apiTable } from '../../../../helpers/api-table.ts';
import { serveEngine } from '../../../../helpers/engine-server.ts';

const readme = path.resolve('vm/agent/http/README.md');
const marks = ['<!-- api: made by api-table.test.ts -->', '<!-- /api -->'] as const;
const rewrites = process.env.WHERRY_REWRITE_API_TABLE !== undefined;

test('the table in the README', async (t) => {
  const { routes } = await serveEngine(t);
  const [begin, end] = marks;
  const table = `${begin}\n\n${apiTable(apiEntries(routes))}\n\n${end}`;
  const page = readFileSync(readme, 'utf8');
  const written = page.slice(page.indexOf(begin), page.indexOf(end) + end.length);
  assert.notEqual(written, '', 'the marks are there');
  if (rewrites) writeFileSync(readme, page.replace(written, table));
  else assert.equal(written, table, 'run this test with WHERRY_REWRITE_API_TABLE=1 to write it anew');
});

test('each path of the reference is there once, and no refusal is for a path that it does not have', () => {
  const keys = apiPaths.map(({ method, path: where }) => `${method} ${where}`);
  assert.equal(keys.length, 107);
  assert.equal(new Set(keys).size, keys.length);
  const shape = (text: string): string => text.replace(/\{\w+\}|[:*]\w+/g, '{}');
  const known = new Set(keys.map(shape));
  const strange = refusals.filter(({ method, path: where }) => !known.has(shape(`${method} ${where}`)));
  // Not in the reference, but BuildKit's clients ask for it.
  assert.deepEqual(
    strange.map(({ path: where }) => where),
    ['/grpc'],
  );
});

test('what is refused answers so', async (t) => {
  const server = await serveEngine(t);
  const refused = apiEntries(server.routes).filter(({ status }) => status === 'refused');
  assert.ok(refused.length > 30);
  for (const { method, path: where } of refused) {
    const answer = await server.ask(method, `/v1.47${where.replace(/\{\w+\}/g, 'some/thing'.slice(0, 4))}`);
    const refusal = refusals.find(
      (one) => one.method === method && one.path.replace(/[:*]\w+/g, '{}') === where.replace(/\{\w+\}/g, '{}'),
    );
    assert.ok(refusal);
    assert.equal(answer.status, engineErrorStatus[refusal.code], `${method} ${where}`);
    assert.equal(answer.message, refusal.message.replace('{name}', 'some'), `${method} ${where}`);
  }
  assert.equal((await server.ask('GET', '/plugins')).body.trim(), '[]');
  assert.equal(
    (await server.ask('GET', '/plugins/vieux/sshfs:latest/json')).message,
    'plugin "vieux/sshfs:latest" not found',
  );
});
