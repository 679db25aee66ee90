import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BuildArgs } from '../../../../../vm/agent/build/build-args.ts';
import { expand, expandText, expandToWords, splitWords } from '../../../../../vm/agent/build/expansion.ts';
import { isIgnored, matchesName, readIgnoreFile } from '../../../../../vm/contract/file-patterns.ts';
import { applySetting } from '../../../../../vm/agent/build/image-settings.ts';
import { readInstructionText } from '../../../../../vm/agent/build/instruction.ts';

const variables = new Map([
  ['A', 'one'],
  ['EMPTY', ''],
  ['PATHS', '/usr/lib/x.tar.gz'],
  ['TWO', 'a b'],
]);

test('expansion', () => {
  for (const [word, expected] of [
    ['$A-${A}', 'one-one'],
    ['${A}x$NONE.', 'onex.'],
    ['${NONE:-b} ${EMPTY:-c} ${EMPTY-d}', 'b c '],
    ['${A:+y}${NONE:+n}${EMPTY+e}', 'ye'],
    ['${NONE:-${A}-in}', 'one-in'],
    ['\'$A\' "$A"', '$A one'],
    ['\\$A \\\\ "\\$A \\x"', '$A \\ $A \\x'],
    ['cost$ $', 'cost$ $'],
    ['${PATHS##*/} ${PATHS#*/} ${PATHS%.*} ${PATHS%%.*}', 'x.tar.gz usr/lib/x.tar.gz /usr/lib/x.tar /usr/lib/x'],
    ['${PATHS/x/y} ${PATHS//r/R}', '/usr/lib/y.tar.gz /usR/lib/x.taR.gz'],
  ] as const) {
    assert.equal(expand(word, variables, '\\'), expected, word);
  }
  assert.equal(expand('c:\\dir`$A', variables, '`'), 'c:\\dir$A');
  assert.throws(() => expand('${A', variables, '\\'), /substitution/);
  assert.throws(() => expand('${NONE:?needed}', variables, '\\'), /NONE: needed/);
  assert.throws(() => expand("'open", variables, '\\'), /single-quote/);
  assert.deepEqual(expandToWords('x$TWO', variables, '\\'), ['xa', 'b']);
  assert.deepEqual(expandToWords('"$TWO"', variables, '\\'), ['a b']);
  assert.deepEqual(expandToWords('$NONE', variables, '\\'), []);
  assert.equal(expandText(`it's "$A" \\$A`, variables, '\\'), `it's "one" $A`);
  assert.deepEqual(splitWords(`a="b c" 'd e'f \\  g`, '\\'), ['a="b c"', "'d e'f", '\\ ', 'g']);
});

test('arguments: declared, given, global, predeclared', () => {
  const args = new BuildArgs(
    new Map([
      ['GIVEN', 'g'],
      ['HTTP_PROXY', 'p'],
      ['NOBODY', 'n'],
    ]),
  );
  args.declareGlobal('GLOBAL', 'all');
  assert.equal(args.globalVariables().get('GLOBAL'), 'all');
  args.startStage();
  assert.equal(args.variables([]).get('GLOBAL'), undefined);
  args.declare('GLOBAL', undefined);
  args.declare('GIVEN', 'default');
  args.declare('LATER', undefined);
  assert.deepEqual(args.environment(['GIVEN=env']), { all: ['GLOBAL=all', 'HTTP_PROXY=p'], cached: ['GLOBAL=all'] });
  assert.equal(args.variables(['GIVEN=env']).get('GIVEN'), 'env');
  assert.equal(args.variables([]).get('GIVEN'), 'g');
  assert.deepEqual(args.unused(), ['NOBODY']);
  args.startStage();
  assert.deepEqual(args.environment([]), { all: ['HTTP_PROXY=p'], cached: [] });
});

describe('patterns', () => {
  test('.dockerignore', () => {
    const patterns = readIgnoreFile('# comment\n\n /secret \n*.log\n!keep.log\n**/cache\ndocs/**\ntmp?\na/../b\n');
    for (const [path, ignored] of [
      ['secret', true],
      ['secret/inside', true],
      ['x.log', true],
      ['in/x.log', false],
      ['keep.log', false],
      ['cache', true],
      ['very/deep/cache/file', true],
      ['docs/a/b', true],
      ['tmp1', true],
      ['tmp12', false],
      ['b', true],
    ] as const) {
      assert.equal(isIgnored(patterns, path), ignored, path);
    }
  });

  test('wildcards of COPY', () => {
    assert.ok(matchesName('*.t?t', 'a.txt') && matchesName('[a-c]x', 'bx') && matchesName('\\*', '*'));
    assert.ok(
      !matchesName('[^a]x', 'ax') && !matchesName('*', 'a/b') && !matchesName('a.b', 'axb') && !matchesName('[a', 'a'),
    );
  });
});

test('settings: what each instruction leaves in the image', () => {
  const apply = (settings: object, text: string, commandGiven = true): object => {
    const instruction = readInstructionText(text, '\\');
    return applySetting(settings, instruction as Parameters<typeof applySetting>[1], commandGiven).settings;
  };
  assert.deepEqual(apply({ Env: ['A=1', 'B=2'] }, 'ENV A=3 C=4'), { Env: ['A=3', 'B=2', 'C=4'] });
  assert.deepEqual(apply({ Cmd: ['base'] }, 'ENTRYPOINT ["x"]', false), { Entrypoint: ['x'] });
  assert.deepEqual(apply({ Cmd: ['own'] }, 'ENTRYPOINT x', true), { Entrypoint: ['/bin/sh', '-c', 'x'], Cmd: ['own'] });
  assert.deepEqual(apply({ Shell: ['bash', '-c'] }, 'CMD x y'), { Shell: ['bash', '-c'], Cmd: ['bash', '-c', 'x y'] });
  assert.deepEqual(apply({ WorkingDir: '/a' }, 'WORKDIR b/../c'), { WorkingDir: '/a/c' });
  assert.deepEqual(apply({}, 'EXPOSE 80 81-82/udp'), { ExposedPorts: { '80/tcp': {}, '81/udp': {}, '82/udp': {} } });
  assert.throws(() => apply({}, 'EXPOSE x'), /invalid containerPort: x/);
  assert.deepEqual(apply({}, 'HEALTHCHECK --timeout=1m30s CMD ["a"]'), {
    Healthcheck: { Test: ['CMD', 'a'], Timeout: 90e9 },
  });
});
