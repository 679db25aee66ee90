import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import {
  addressOfPointerQuery,
  answer,
  failure,
  isAnswerTo,
  parseQuery,
  withId,
} from '../../../../../../vm/agent/network/dns/message.ts';

const query = (name: string, type = 1, { id = 0x1234, flags = 0x0100, klass = 1 } = {}): Buffer => {
  const labels = name === '' ? [] : name.split('.');
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(1, 4);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(type, 0);
  tail.writeUInt16BE(klass, 2);
  return Buffer.concat([
    head,
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
    tail,
  ]);
};

test('a question is read: name in lower case, type, class, end', () => {
  const message = query('Host.Docker.INTERNAL', 28);
  assert.deepEqual(parseQuery(message), {
    name: 'host.docker.internal',
    type: 28,
    isInternet: true,
    questionEnd: message.length,
  });
  assert.deepEqual(parseQuery(query('')), { name: '', type: 1, isInternet: true, questionEnd: 17 });
});

test('what is not a query is dropped; what cannot be answered is refused', () => {
  assert.equal(parseQuery(Buffer.alloc(11)), 'drop');
  assert.equal(parseQuery(query('a', 1, { flags: 0x8100 })), 'drop', 'an answer: replying to it could go on for ever');
  assert.equal(parseQuery(query('a', 1, { flags: 0x2800 })), 4, 'an update');
  const two = query('a');
  two.writeUInt16BE(2, 4);
  assert.equal(parseQuery(two), 1);
  assert.equal(parseQuery(query('a').subarray(0, -1)), 1, 'cut off');
  const pointer = Buffer.concat([query('').subarray(0, 12), Buffer.from('c00c00010001', 'hex')]);
  assert.equal(parseQuery(pointer), 1, 'a pointer to itself');
  assert.equal(parseQuery(query(Array.from({ length: 130 }, () => 'a').join('.'))), 1, 'longer than 255');
});

test('an answer keeps id, question with its case, and says what was asked', () => {
  const message = query('HoSt.docker.internal');
  const parsed = parseQuery(message);
  assert.ok(typeof parsed === 'object');
  const response = answer(message, parsed, ['10.0.2.2']);
  assert.equal(response.readUInt16BE(0), 0x1234);
  assert.equal(response.readUInt16BE(2), 0x8180);
  assert.equal(response.readUInt16BE(6), 1);
  assert.deepEqual(response.subarray(12, parsed.questionEnd), message.subarray(12));
  assert.deepEqual([...response.subarray(-4)], [10, 0, 2, 2]);
  assert.ok(isAnswerTo(response, message, 0x1234, parsed.questionEnd));
});

test('other types of a known name: there are none of these, no error', () => {
  const message = query('host.docker.internal', 28);
  const parsed = parseQuery(message);
  assert.ok(typeof parsed === 'object');
  const response = answer(message, parsed, ['10.0.2.2']);
  assert.equal(response.readUInt16BE(6), 0);
  assert.equal(response.readUInt16BE(2) & 0xf, 0);
});

test('AAAA, and both for ANY; a name of IPv4 alone has no AAAA', () => {
  const ask = (type: number, addresses: string[]): Buffer => {
    const message = query('web', type);
    const parsed = parseQuery(message);
    assert.ok(typeof parsed === 'object');
    return answer(message, parsed, addresses);
  };
  const aaaa = ask(28, ['10.0.0.2', 'fd00::2']);
  assert.equal(aaaa.readUInt16BE(6), 1);
  assert.equal(aaaa.subarray(-16).toString('hex'), `fd00${'0'.repeat(27)}2`);
  assert.deepEqual([...ask(1, ['10.0.0.2', 'fd00::2']).subarray(-4)], [10, 0, 0, 2]);
  assert.equal(ask(255, ['10.0.0.2', 'fd00::2']).readUInt16BE(6), 2);
  const none = ask(28, ['10.0.0.2']);
  assert.deepEqual([none.readUInt16BE(6), none.readUInt16BE(2) & 0xf], [0, 0]);
});

test('names asked for by address, of both families', () => {
  const asked = (name: string, type = 12): string | undefined => {
    const parsed = parseQuery(query(name, type));
    assert.ok(typeof parsed === 'object');
    return addressOfPointerQuery(parsed);
  };
  const digits = `2.${'0.'.repeat(27)}0.0.d.f`;
  assert.equal(asked('2.0.18.172.in-addr.arpa'), '172.18.0.2');
  assert.equal(asked(`${digits}.IP6.arpa`), 'fd00::2');
  assert.equal(asked(`${digits}.ip6.arpa`, 1), undefined);
  assert.equal(asked(`0.${digits}.ip6.arpa`), undefined);
  assert.equal(asked(`${digits.slice(2)}.ip6.arpa`), undefined);
});

test('only an answer to the very question is taken', () => {
  const message = query('a.test');
  const parsed = parseQuery(message);
  assert.ok(typeof parsed === 'object');
  const good = answer(message, parsed, ['192.0.2.1']);
  const upper = Buffer.from(good);
  upper.write('A', 13, 'latin1');
  const otherName = Buffer.from(good);
  otherName.write('b', 13, 'latin1');
  const is = (response: Buffer, id = 0x1234): boolean => isAnswerTo(response, message, id, parsed.questionEnd);
  assert.ok(is(upper), 'servers may change the case');
  assert.ok(!is(otherName));
  assert.ok(!is(good, 0x1235));
  assert.ok(!is(message), 'a query is no answer');
  assert.ok(!is(good.subarray(0, 20)));
  assert.ok(is(failure(message, 5)), 'a refusal without question');
  assert.ok(!is(failure(message, 0)), 'but no success without question');
  assert.equal(withId(good, 7).readUInt16BE(0), 7);
  assert.equal(good.readUInt16BE(0), 0x1234, 'the original is left as it was');
});

test('anything may come: never a throw, never a question beyond the message', () => {
  const check = (message: Buffer): void => {
    const parsed = parseQuery(message);
    if (typeof parsed === 'string') return;
    if (typeof parsed === 'number') {
      assert.equal(failure(message, parsed).length, 12);
      return;
    }
    assert.ok(parsed.questionEnd <= message.length);
    assert.ok(parsed.name.length <= 255);
    assert.ok(answer(message, parsed, ['1.2.3.4']).length <= parsed.questionEnd + 16);
  };
  for (let i = 0; i < 20_000; i++) {
    check(randomBytes(randomInt(80)));
    const changed = query(`a${i}.example.test`);
    for (let n = randomInt(4); n >= 0; n--) changed[randomInt(changed.length)] = randomInt(256);
    check(changed.subarray(0, randomInt(changed.length + 1)));
  }
});
