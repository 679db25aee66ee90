import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDockerfile } from '../../../../../vm/agent/build/dockerfile.ts';
import { readStages } from '../../../../../vm/agent/build/stages.ts';
import { readInstructionText } from '../../../../../vm/agent/build/instruction.ts';

function texts(source: string): string[] {
  return parseDockerfile(source).instructions.map(({ keyword, text }) => `${keyword} ${text}`);
}

describe('lines', () => {
  test('continuations swallow comments and empty lines; only an unescaped mark continues', () => {
    const source = 'FROM a\nRUN echo a \\\n  # comment\n\n  b \\  \n && c\nRUN d \\\\\nCMD e\n';
    assert.deepEqual(texts(source), ['FROM a', 'RUN echo a   b  && c', 'RUN d \\\\', 'CMD e']);
    assert.equal(parseDockerfile(source).warnings.length, 1);
    assert.deepEqual(texts('from a\r\nrun b \\\r\n c\r\n'), ['FROM a', 'RUN b  c']);
    assert.deepEqual(texts('\uFEFFFROM a\nRUN b \\'), ['FROM a', 'RUN b']);
  });

  test('the escape directive, only at the top', () => {
    assert.deepEqual(texts('# escape=`\nFROM a\nCOPY b `\n c:\\\nRUN d'), ['FROM a', 'COPY b  c:\\', 'RUN d']);
    assert.deepEqual(texts('# hello\n# escape=`\nFROM a\nRUN b\\\nc'), ['FROM a', 'RUN bc']);
    assert.throws(() => texts('# escape=x\nFROM a'), /invalid escape token 'x'/);
    assert.throws(() => texts('# escape=`\n# escape=`\nFROM a'), /only one escape parser directive/);
    assert.deepEqual(texts('# syntax=docker/dockerfile:1\n# escape=`\nFROM a`\nb'), ['FROM ab']);
  });

  test('heredocs: names, quotes, tabs, several, and what is none', () => {
    const { instructions } = parseDockerfile(
      'FROM a\nRUN <<EOF\none\n# two\nEOF\nCOPY <<x <<-"y" /d/\n1\nx\n\t2\n\ty\nRUN 3<<E cat <&3\nz\nE\nRUN echo $((1<<2))\nRUN ["a", "<<b"]\n',
    );
    assert.deepEqual(
      instructions.map(({ heredocs }) => heredocs),
      [
        [],
        [{ name: 'EOF', stripsTabs: false, expands: true, content: 'one\n# two\n' }],
        [
          { name: 'x', stripsTabs: false, expands: true, content: '1\n' },
          { name: 'y', stripsTabs: true, expands: false, content: '\t2\n' },
        ],
        [{ name: 'E', stripsTabs: false, expands: true, content: 'z\n' }],
        [],
        [],
      ],
    );
    assert.throws(() => texts('FROM a\nRUN <<EOF\nx'), /line 2: unterminated heredoc/);
    assert.throws(() => texts('# only this\n'), /file with no instructions/);
  });
});

describe('instructions', () => {
  test('commands: JSON, shell, and JSON that is none', () => {
    const command = (text: string): unknown => (readInstructionText(text, '\\') as { command?: unknown }).command;
    assert.deepEqual(command('CMD ["a", "b c"]'), { form: 'exec', words: ['a', 'b c'] });
    assert.deepEqual(command('CMD a  b'), { form: 'shell', text: 'a  b' });
    assert.deepEqual(command("RUN ['a']"), { form: 'shell', text: "['a']" });
    assert.throws(() => command('CMD ["a", 1]'), /arrays must be comprised of strings only/);
  });

  test('refusals name the line and say why', () => {
    for (const [text, words] of [
      ['FLOAT x', /line 1: unknown instruction: FLOAT/],
      ['COPY a', /COPY requires at least two arguments/],
      ['COPY a b c', /destination must be a directory and end with a \//],
      ['COPY --frm=x a b', /unknown flag: frm/],
      ['RUN --mount=type=cache x', /the --mount option requires BuildKit/],
      ['FROM a b', /FROM requires either one or three arguments/],
      ['FROM a AS 1x', /invalid name for build stage: "1x"/],
      ['ENV a', /ENV must have two arguments/],
      ['ENV a=b c', /can't find = in "c"/],
      ['ONBUILD FROM x', /FROM isn't allowed as an ONBUILD trigger/],
      ['SHELL sh', /SHELL requires the arguments to be in JSON form/],
      ['HEALTHCHECK maybe', /unknown type "MAYBE" in HEALTHCHECK/],
      ['HEALTHCHECK --interval=soon CMD x', /invalid duration "soon"/],
      ['EXPOSE', /EXPOSE requires at least one argument/],
    ] as const) {
      assert.throws(() => readInstructionText(text, '\\'), words, text);
    }
  });

  test('stages, and arguments before them', () => {
    const plan = readStages(parseDockerfile('ARG V=1\nFROM a:${V} AS One\nRUN x\nFROM b\n'));
    assert.equal(plan.globalArgs.length, 1);
    assert.deepEqual(
      plan.stages.map(({ from, steps }) => [from.image, from.name, steps.length]),
      [
        ['a:${V}', 'one', 1],
        ['b', '', 0],
      ],
    );
    assert.throws(() => readStages(parseDockerfile('RUN x\nFROM a\n')), /no build stage in current context/);
  });
});
