import assert from 'node:assert/strict';
import { test } from 'node:test';
import { droppedFields } from '../../../../../vm/agent/http/images.ts';

test('fields that the API has left behind are there for who asks in an older version, and for docker-compose 1', () => {
  const image = { Size: 7, Config: { Cmd: ['x'] } };
  const old = { Container: '', ContainerConfig: image.Config };
  assert.deepEqual(droppedFields(image, '1.47', 'Docker-Client/28.2.2 (linux)'), {});
  assert.deepEqual(droppedFields(image, '1.44', undefined), old);
  assert.deepEqual(droppedFields(image, '1.43', undefined), { VirtualSize: 7, ...old });
  assert.deepEqual(droppedFields(image, '1.47', 'docker-compose/1.29.2 docker-py/5.0.3 Linux/6.1'), old);
});
