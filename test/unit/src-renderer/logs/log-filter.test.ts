import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogBuffer } from '../../../../src-renderer/logs/log-buffer.ts';
import { FilteredLog, passes } from '../../../../src-renderer/logs/log-filter.ts';
import { levelOf } from '../../../../src-renderer/logs/log-level.ts';
import { prettyJson } from '../../../../src-renderer/logs/pretty-json.ts';

const levels: readonly (readonly [string, string | undefined])[] = [
  ['{"level":"info","ts":1,"msg":"an error in words"}', 'info'],
  ['{"time":"x","severity": "ERROR","message":"m"}', 'error'],
  ['{"level":30,"msg":"pino"}', 'info'],
  ['{"level":50,"msg":"pino"}', 'error'],
  ['{"level":40}', 'warn'],
  ['{"level":20}', 'debug'],
  ['time=2026-01-01 level=warning msg="x"', 'warn'],
  ['ts=1 lvl=dbug msg=x', undefined],
  ['2026/01/01 00:00:00 [error] 31#31: *1 open() failed', 'error'],
  ['2026-01-01 00:00:00.000 UTC [1] LOG:  database system is ready', 'info'],
  ['2026-01-01 12:00:00 WARN  com.example.Main - slow', 'warn'],
  ['INFO  worker 3 ready', 'info'],
  ['FATAL: no', 'error'],
  ['error: no such file', 'error'],
  ['0 errors, no error at all', undefined],
  ['172.17.0.1 - - "GET /error HTTP/1.1" 200', undefined],
  ['INFORMAL talk', undefined],
  ['', undefined],
];
for (const [line, level] of levels) {
  test(`level of ${line.slice(0, 40)}`, () => assert.equal(levelOf(line), level));
}

const time = '2026-01-01T00:00:00Z';
const line = (stream: 'stdout' | 'stderr', text: string) => ({ stream, time, text });

test('a level is found under colours, and a filter takes that level and graver', () => {
  const warn = line('stderr', '\u001b[33mWARN\u001b[0m slow');
  assert.equal(passes(warn, { stream: 'all', level: 'info' }), true);
  assert.equal(passes(warn, { stream: 'all', level: 'error' }), false);
  assert.equal(passes(warn, { stream: 'stdout', level: 'all' }), false);
  assert.equal(passes(line('stdout', 'no level'), { stream: 'all', level: 'debug' }), false);
});

test('filtered lines keep the colour that lines left out had begun', () => {
  const source = new LogBuffer();
  source.append([line('stdout', '\u001b[31m INFO begins'), line('stdout', 'ERROR goes on'), line('stdout', 'INFO')]);
  const filtered = new FilteredLog(source, { stream: 'all', level: 'error' });
  filtered.scan(1000);
  assert.equal(filtered.complete, true);
  assert.deepEqual(
    [...filtered.buffer].map(({ text, number, start }) => [text, number, start]),
    [['ERROR goes on', -1, { fg: 1 }]],
  );
  source.append([line('stdout', 'ERROR more')]);
  assert.equal(filtered.complete, false);
  filtered.scan(1000);
  assert.equal(filtered.buffer.size, 2);
});

test('of older lines those that pass come in front', () => {
  const source = new LogBuffer();
  source.append([line('stdout', 'ERROR c')]);
  const filtered = new FilteredLog(source, { stream: 'all', level: 'error' });
  filtered.scan(1000);
  source.prepend([line('stdout', 'ERROR a'), line('stdout', 'INFO'), line('stdout', 'ERROR b')]);
  filtered.scan(1000);
  assert.deepEqual(
    [...filtered.buffer].map(({ text, number }) => [text, number]),
    [
      ['ERROR a', -3],
      ['ERROR b', -2],
      ['ERROR c', -1],
    ],
  );
});

test('a slice looks at a bounded number of lines', () => {
  const source = new LogBuffer();
  source.append(Array.from({ length: 1000 }, () => line('stdout', 'ERROR')));
  const filtered = new FilteredLog(source, { stream: 'all', level: 'error' });
  filtered.scan(0, () => 0);
  assert.equal(filtered.buffer.size, 256);
});

test('JSON is spread over lines, with every number and text as it was written', () => {
  const text = '{"id":12345678901234567890,"x":1.0e5,"s":"a\\u0041, [b] {c: \\"d\\"}","e":{},"l":[1,[]],"n":null}';
  assert.equal(
    prettyJson(text),
    [
      '{',
      '  "id": 12345678901234567890,',
      '  "x": 1.0e5,',
      '  "s": "a\\u0041, [b] {c: \\"d\\"}",',
      '  "e": {},',
      '  "l": [',
      '    1,',
      '    []',
      '  ],',
      '  "n": null',
      '}',
    ].join('\n'),
  );
});

test('what is no object or list of JSON stays as it is', () => {
  for (const text of ['plain', '"text"', '12', '{"a":1', '{a:1}', '[x]', '', `[${'1,'.repeat(40_000)}1]`]) {
    assert.equal(prettyJson(text), undefined);
  }
});
