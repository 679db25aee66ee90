import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { cannotUnpack, leftovers, openTestStore } from '../../../../helpers/image-store.ts';
import { digestOf, mediaTypes, sendBlob, startScriptedRegistry } from '../../../../helpers/scripted-registry.ts';
import type { AddedImage, ScriptedRegistry } from '../../../../helpers/scripted-registry.ts';
import { tar } from '../../../../helpers/tar.ts';

/** Does not compress, so that there is something to cut. */
const noise = randomBytes(600_000);

describe('a lying registry', { skip: cannotUnpack, timeout: 60_000 }, () => {
  for (const [lie, spoil, message] of lies()) {
    test(lie, async () => {
      await using registry = await startScriptedRegistry();
      await using store = await openTestStore({ timeoutMs: 300 });
      const image = registry.addImage('x:1', [[{ name: 'a', data: noise }], [{ name: 'b', data: 'b' }]]);
      await spoil(registry, image);
      await assert.rejects(store.pull(`${registry.host}/x:1`), message);
      assert.deepEqual(store.parts.records.all(), []);
      assert.deepEqual(leftovers(store), []);
    });
  }
});

type Lie = readonly [string, (registry: ScriptedRegistry, image: AddedImage) => void | Promise<void>, RegExp];

function lies(): Lie[] {
  const forLayer = (
    registry: ScriptedRegistry,
    image: AddedImage,
    act: (response: ServerResponse, blob: Buffer, range: string | undefined) => void,
  ): void => {
    const layer = image.layers[0]?.digest ?? '';
    registry.intercept = (request, response) => {
      if (!(request.url ?? '').includes(layer)) return false;
      act(response, registry.blobs.get(layer) ?? Buffer.alloc(0), request.headers.range);
      return true;
    };
  };
  const onManifest = (registry: ScriptedRegistry, act: (response: ServerResponse) => void): void => {
    registry.intercept = (request, response) => {
      if (!(request.url ?? '').includes('/manifests/')) return false;
      act(response);
      return true;
    };
  };
  const manifestOf = (registry: ScriptedRegistry): Record<string, unknown> =>
    JSON.parse(registry.manifests.get('x:1')?.bytes.toString() ?? '{}') as Record<string, unknown>;
  return [
    [
      'a layer with other content of the same size',
      (registry, image) => {
        const archive = gzipSync(tar({ name: 'a', data: randomBytes(600_000) }));
        forLayer(registry, image, (response, blob) => {
          response.writeHead(200);
          response.end(Buffer.concat([archive, Buffer.alloc(blob.length)]).subarray(0, blob.length));
        });
      },
      /verification failed for digest|register layer/,
    ],
    [
      'a valid layer, but another one',
      (registry) => {
        const other = gzipSync(tar({ name: 'evil' }));
        const manifest = manifestOf(registry) as { layers: { digest: string; size: number }[] };
        const [layer] = manifest.layers;
        assert.ok(layer);
        registry.blobs.set(layer.digest, other);
        layer.size = other.length;
        registry.addManifest('x:1', manifest);
      },
      /filesystem layer verification failed for digest sha256:/,
    ],
    [
      'a layer that ends too soon, also when asked for the rest',
      (registry, image) =>
        forLayer(registry, image, (response, blob, range) => sendBlob(response, blob.subarray(0, 200_000), range)),
      /unexpected EOF/,
    ],
    [
      'an endless layer',
      (registry, image) =>
        forLayer(registry, image, (response, blob) => {
          response.writeHead(200);
          response.write(blob);
          flood(response);
        }),
      /more than its \d+ bytes were sent/,
    ],
    [
      'a layer that stalls',
      (registry, image) =>
        forLayer(registry, image, (response, blob) => {
          response.writeHead(200, { 'Content-Length': blob.length });
          response.flushHeaders();
        }),
      /no data for 0.3 s/,
    ],
    ['a manifest that never comes', (registry) => onManifest(registry, () => undefined), /no answer within 0.3 s/],
    [
      'an endless manifest',
      (registry) =>
        onManifest(registry, (response) => {
          response.writeHead(200, { 'Content-Type': mediaTypes.manifest });
          flood(response);
        }),
      /more than the 4194304 bytes allowed/,
    ],
    [
      'a manifest with another digest than it says',
      (registry) =>
        onManifest(registry, (response) => {
          response.writeHead(200, { 'Content-Type': mediaTypes.manifest, 'Docker-Content-Digest': digestOf('other') });
          response.end('{}');
        }),
      /manifest verification failed/,
    ],
    [
      'an index that names a manifest it does not have',
      (registry) => {
        const digest = digestOf('promised');
        registry.addManifest(
          'x:1',
          {
            schemaVersion: 2,
            manifests: [
              { mediaType: mediaTypes.manifest, digest, size: 8, platform: { os: 'linux', architecture: 'amd64' } },
            ],
          },
          mediaTypes.index,
        );
        registry.manifests.set(`x:${digest}`, {
          bytes: Buffer.from('{"schemaVersion":2}'),
          mediaType: mediaTypes.manifest,
        });
      },
      /manifest verification failed for digest sha256:/,
    ],
    [
      'a configuration with another digest',
      (registry, image) => {
        const config = registry.blobs.get(image.configDigest) ?? Buffer.alloc(0);
        registry.blobs.set(image.configDigest, Buffer.from(config.toString().replace('amd64', 'arm64')));
      },
      /blob verification failed/,
    ],
    [
      'a configuration larger than it says',
      (registry, image) => registry.blobs.set(image.configDigest, Buffer.alloc(100_000, ' ')),
      /more than the \d+ bytes allowed/,
    ],
    [
      'a configuration whose diffIDs are others',
      (registry) => {
        const diffIds = [digestOf('1'), digestOf('2')];
        registry.addImage('x:1', [[{ name: 'a', data: noise }], [{ name: 'b' }]], { diffIds });
      },
      /its content has diffID/,
    ],
    [
      'a configuration with fewer layers',
      (registry) => registry.addImage('x:1', [[{ name: 'a' }], [{ name: 'b' }]], { diffIds: [digestOf('1')] }),
      /disagree on the number of layers/,
    ],
    ['a manifest that is not JSON', (registry) => registry.addManifest('x:1', Buffer.from('<html>')), /not JSON/],
    [
      'schema 1',
      (registry) =>
        registry.addManifest('x:1', { schemaVersion: 1 }, 'application/vnd.docker.distribution.manifest.v1+prettyjws'),
      /schema 1, which is no longer supported/,
    ],
    [
      'layers of a kind nobody knows',
      (registry) => {
        const manifest = manifestOf(registry) as { layers: { mediaType: string }[] };
        for (const layer of manifest.layers) layer.mediaType = 'application/x-evil';
        registry.addManifest('x:1', manifest);
      },
      /layers of type application\/x-evil are not supported/,
    ],
    [
      'indexes within indexes within indexes…',
      (registry, image) => {
        const platform = { os: 'linux', architecture: 'amd64' };
        let inner = { mediaType: mediaTypes.manifest as string, digest: image.manifestDigest, size: 1, platform };
        for (let depth = 0; depth < 6; depth += 1) {
          const digest = registry.addManifest('x:1', { schemaVersion: 2, manifests: [inner] }, mediaTypes.index);
          inner = { mediaType: mediaTypes.index, digest, size: 1, platform };
        }
      },
      /nested deeper than 3/,
    ],
    [
      'a layer with a path that leads out',
      (registry) => registry.addImage('x:1', [[{ name: '../../evil', data: 'x' }]]),
      /failed to register layer: .*leads out of the layer/,
    ],
    [
      'a thousand layers',
      (registry) => {
        const manifest = manifestOf(registry) as { layers: object[] };
        manifest.layers = Array.from({ length: 1000 }, () => manifest.layers[0] ?? {});
        registry.addManifest('x:1', manifest);
      },
      /malformed at layers/,
    ],
  ];
}

/** Writes until the other side hangs up. */
function flood(response: ServerResponse): void {
  if (!response.destroyed) response.write(Buffer.alloc(65_536, ' '), () => flood(response));
}
