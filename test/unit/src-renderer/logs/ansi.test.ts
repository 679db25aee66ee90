import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnsi, plainStyle, stripAnsi, styleAfter } from '../../../../src-renderer/logs/ansi.ts';

const esc = '\u001b';

/** `text{style}` of each span, for reading. */
function shown(text: string, start = plainStyle): string {
  return parseAnsi(text, start)
    .spans.map((span) => `${span.text}${JSON.stringify(span.style)}`)
    .join('');
}

test('colours, attributes and their ends become spans', () => {
  assert.equal(shown(`a${esc}[1;31mb${esc}[22mc${esc}[39md`), 'a{}b{"bold":true,"fg":1}c{"fg":1}d{}');
  assert.equal(shown(`${esc}[3;4;7;9mx${esc}[my`), 'x{"italic":true,"underline":true,"inverse":true,"strike":true}y{}');
  assert.equal(shown(`${esc}[94;103mx`), 'x{"fg":12,"bg":11}');
});

test('the 256-colour table and true colour are understood; nonsense is left out', () => {
  assert.equal(shown(`${esc}[38;5;9mx`), 'x{"fg":9}');
  assert.equal(shown(`${esc}[38;5;208mx`), 'x{"fg":"rgb(255,135,0)"}');
  assert.equal(shown(`${esc}[48;5;232mx`), 'x{"bg":"rgb(8,8,8)"}');
  assert.equal(shown(`${esc}[38;2;1;2;3mx`), 'x{"fg":"rgb(1,2,3)"}');
  assert.equal(shown(`${esc}[38;2;999;0;0;1mx`), 'x{"bold":true}');
  assert.equal(shown(`${esc}[38;5;x;1mx`).includes('rgb'), false);
});

test('a colour is only ever numbers, whatever the sequence holds', () => {
  const [span] = parseAnsi(`${esc}[38;2;1;2;3);background:url(x)mx`, plainStyle).spans;
  assert.equal(span?.style.fg, undefined);
});

test('every other sequence is taken out, finished or not', () => {
  for (const sequence of [
    `${esc}[2J`,
    `${esc}[999;999H`,
    `${esc}]0;title\u0007`,
    `${esc}]8;;http://example.org${esc}\\`,
    `${esc}P+q544e${esc}\\`,
    `${esc}(B`,
    `${esc}c`,
    '\u009b31m',
  ]) {
    assert.equal(stripAnsi(`a${sequence}b`), 'ab', JSON.stringify(sequence));
  }
  assert.equal(stripAnsi(`end ${esc}[31`), 'end 31');
  assert.equal(stripAnsi(`end ${esc}]0;never closed`), 'end ');
});

test('a line drawn over itself shows what a terminal would show last', () => {
  assert.equal(stripAnsi('10%\r50%\r100%\r'), '100%');
  assert.equal(shown(`10%\r${esc}[32m20%`), '20%{"fg":2}');
  assert.equal(shown(`${esc}[32mdone${esc}[0m\r`), 'done{"fg":2}');
  assert.equal(shown('only\r'), 'only{}');
});

test('the style left over is the same with and without building spans', () => {
  for (const text of [`${esc}[41;97mruns on`, `${esc}[1mx${esc}[0m`, 'plain', `${esc}[38;5;208m`]) {
    assert.deepEqual(styleAfter(text, { fg: 3 }), parseAnsi(text, { fg: 3 }).end);
  }
});

test('long hostile input takes no unreasonable time', { timeout: 5000 }, () => {
  for (const piece of [`${esc}[`, `${esc}]`, `${esc}[1;`, '\r', `${esc}P`, `${esc}[38;2;`]) {
    stripAnsi(piece.repeat(100_000));
    parseAnsi(piece.repeat(100_000), plainStyle);
  }
});
