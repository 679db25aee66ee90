/** The starter container image, as an OCI image layout: the first run needs no network. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Arch } from './recipe.ts';
import { sha256 } from './steps.ts';
import { type TarEntry, writeTar } from './tar.ts';

const starterName = 'wherry/starter:latest';

/** busybox applets of the starter image. */
const applets =
  'ash cat chmod cp date df du echo env false find free grep head hostname httpd id ip kill ls mkdir mv nc nslookup ping ps pwd rm sed seq sh sleep sort stat tail tar tee top touch true uname vi wc wget which whoami'.split(
    ' ',
  );

/**
 * Writes oci-layout, index.json and blobs/ into `folder`.
 * @param busybox path of a static busybox of the image's architecture
 * @param page path of the page it serves
 */
export async function buildStarter(
  folder: string,
  arch: Arch,
  busybox: string,
  page: string,
  epochSeconds: number,
): Promise<void> {
  const blobs = path.join(folder, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (content: Buffer, mediaType: string): Promise<Descriptor> => {
    const digest = sha256(content);
    await writeFile(path.join(blobs, digest), content);
    return { mediaType, digest: `sha256:${digest}`, size: content.length };
  };
  const tar = writeTar(layerEntries(await readFile(busybox), await readFile(page)), epochSeconds);
  const layer = await put(gzipSync(tar, { level: 9 }), 'application/vnd.oci.image.layer.v1.tar+gzip');
  const created = new Date(epochSeconds * 1000).toISOString();
  const config = await put(
    json(imageConfig(arch, `sha256:${sha256(tar)}`, created)),
    'application/vnd.oci.image.config.v1+json',
  );
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await put(json({ schemaVersion: 2, mediaType, config, layers: [layer] }), mediaType);
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...manifest,
        platform: { architecture: arch, os: 'linux' },
        annotations: { 'org.opencontainers.image.ref.name': starterName },
      },
    ],
  };
  await writeFile(path.join(folder, 'index.json'), json(index));
  await writeFile(path.join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function layerEntries(busybox: Buffer, page: Buffer): TarEntry[] {
  return [
    { kind: 'folder', path: 'bin' },
    { kind: 'file', path: 'bin/busybox', mode: 0o755, content: busybox },
    ...applets.map((name): TarEntry => ({ kind: 'link', path: `bin/${name}`, target: 'busybox' })),
    { kind: 'folder', path: 'etc' },
    {
      kind: 'file',
      path: 'etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    },
    { kind: 'file', path: 'etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    { kind: 'folder', path: 'root', mode: 0o700 },
    { kind: 'folder', path: 'tmp', mode: 0o1777 },
    { kind: 'folder', path: 'www' },
    { kind: 'file', path: 'www/index.html', content: page },
  ];
}

function imageConfig(arch: Arch, diffId: string, created: string): unknown {
  return {
    created,
    architecture: arch,
    os: 'linux',
    config: {
      Env: ['PATH=/bin'],
      Cmd: ['/bin/httpd', '-f', '-v', '-p', '80', '-h', '/www'],
      WorkingDir: '/',
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGTERM',
      Labels: { 'org.opencontainers.image.title': 'Wherry starter' },
    },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, created_by: 'vm/image/starter.ts' }],
  };
}
