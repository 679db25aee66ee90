import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServer, serverOf } from '../../../../src-main/contract/registries.ts';

test('a registry is known by its host, however it is typed', () => {
  for (const [typed, server] of [
    ['', 'docker.io'],
    [' Docker.io ', 'docker.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['localhost:5000', 'localhost:5000'],
    ['http://Registry.Example/v2/', 'registry.example'],
    ['[::1]:5000', '[::1]:5000'],
    ['/x', undefined],
    ['a b', undefined],
    ['user@registry.example', undefined],
    ['registry.example:port', undefined],
    ['-x', undefined],
  ] as const) {
    assert.equal(parseServer(typed), server, typed);
  }
});

test('an image’s name says its registry', () => {
  for (const [reference, server] of [
    ['nginx:1.29', 'docker.io'],
    ['team/app', 'docker.io'],
    ['docker.io/library/nginx', 'docker.io'],
    ['registry.example/app:1', 'registry.example'],
    ['localhost/app', 'localhost'],
    ['LOCALHOST:5000/app', 'localhost:5000'],
    ['a_b.example/app', undefined],
  ] as const) {
    assert.equal(serverOf(reference), server, reference);
  }
});
