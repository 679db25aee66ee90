import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { redact } from '../../../../src-main/diagnostics/redact.ts';
import { diagnosticReport } from '../../../../src-main/diagnostics/report.ts';
import { prepareHome } from '../../../../src-main/home.ts';
import { vmUsage } from '../../../../src-main/vm/usage.ts';
import { containerSummary, fakeEngine, json } from '../../../helpers/fake-engine.ts';
import { fakeServices, vmView } from '../../../helpers/services.ts';

test('secrets are taken out, whatever they are written as; the rest stays', () => {
  const secret = 'hunter2-hunter2';
  for (const text of [
    `POSTGRES_PASSWORD=${secret} PORT=80`,
    `"Env": ["API_KEY=${secret}", "PORT=80"]`,
    `{"authToken": "${secret}", "PORT": 80}`,
    `--db-password ${secret} --PORT=80`,
    `--secret='${secret}' PORT=80`,
    `http://user:${secret}@proxy.example:3128/ PORT=80`,
    `Authorization: Basic ${secret}\nPORT=80`,
    `sent Bearer ${secret} to PORT 80`,
    `X-Registry-Auth: ${secret}\nPORT=80`,
    `X-Registry-Config: ${secret}\nPORT=80`,
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}\n-----END OPENSSH PRIVATE KEY-----\nPORT=80`,
    `Wherry is ready: http://127.0.0.1:4000/#${secret}\nPORT=80`,
  ]) {
    const shown = redact(text, '/home/sam');
    assert.doesNotMatch(shown, /hunter2/, text);
    assert.match(shown, /PORT.*80/s, text);
  }
  assert.equal(redact('/home/sam/.wherry/vm', '/home/sam'), '~/.wherry/vm');
  assert.equal(redact('authentic monkeys, 3 tokens: none', ''), 'authentic monkeys, 3 tokens: [removed]');
  assert.equal(redact('kernel: passed 3 of 3', '/root'), 'kernel: passed 3 of 3');
});

test('the report says what there is, and what could not be had', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wherry-report-'));
  t.after(() => rm(folder, { recursive: true }));
  const paths = await prepareHome(path.join(folder, 'home'));
  await writeFile(path.join(paths.logs, 'host.log'), 'TOKEN=abcdefgh started\n');
  await writeFile(paths.secrets, '{"secrets": {"registry a": {"value": "abcdefgh"}}}');
  await writeFile(paths.vm.console, 'wherry: stage engine\n');
  const engine = await fakeEngine(t, {
    'GET /version': (_request, response) => json(response, 200, { ApiVersion: '1.47' }),
    'GET /containers/json': (_request, response) => {
      json(response, 200, [{ ...containerSummary('c1', 'web'), Command: 'run --token abcdefgh' }]);
    },
  });
  const services = fakeServices({ connectEngine: (purpose, signal) => engine.connectEngine(purpose, signal) });
  t.after(() => services[Symbol.asyncDispose]());
  const report = await diagnosticReport({
    ...{ version: '9.9', paths, settings: services.settings.current, vm: vmView('ready'), link: services.link },
    doctor: { run: () => Promise.reject(new Error('the doctor is out')) },
  });
  for (const words of [
    '"wherry": "9.9"',
    '"ApiVersion": "1.47"',
    'wherry: stage engine',
    '== Log: host.log',
    '"/web"',
  ]) {
    assert.ok(report.includes(words), words);
  }
  assert.match(report, /== Doctor\n\ncould not be had: the doctor is out/);
  assert.match(report, /== Engine: GET \/networks\n\n\[\]/);
  assert.match(report, /== Engine: GET \/info\n\ncould not be had: .*no route for/);
  assert.doesNotMatch(report, /abcdefgh/);
});

test('what the VM holds: the blocks of its disk, not the length', async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'wherry-usage-'));
  t.after(() => rm(folder, { recursive: true }));
  const paths = await prepareHome(path.join(folder, 'home'));
  const services = fakeServices({});
  t.after(() => services[Symbol.asyncDispose]());
  const settings = services.settings.current;
  assert.equal((await vmUsage(paths, settings, undefined)).disk.heldBytes, 0);
  await writeFile(paths.vm.dataDisk, Buffer.alloc(8192, 1));
  await truncate(paths.vm.dataDisk, 50 * 1024 ** 2);
  const { disk, memory } = await vmUsage(paths, settings, services.link);
  assert.ok(disk.heldBytes >= 8192 && disk.heldBytes < 1024 ** 2, String(disk.heldBytes));
  assert.deepEqual([disk.limitBytes, disk.usedBytes], [settings.vm.diskGiB * 1024 ** 3, undefined]);
  assert.deepEqual(memory, { limitBytes: settings.vm.memoryMiB * 1024 ** 2 });
});
