/** Finds the guest system image and checks its files against the manifest. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import { readIfThere, writeDurably } from '../durable-file.ts';
import type { GuestImage } from './backend.ts';

const fileSchema = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), sizeBytes: z.number() });
const manifestSchema = z.object({
  version: z.string(),
  arch: z.enum(['amd64', 'arm64']),
  files: z.object({ vmlinuz: fileSchema, 'initramfs.img': fileSchema, 'system.erofs': fileSchema }),
});
type Manifest = z.infer<typeof manifestSchema>;
/** A few images' worth. */
const maxKept = 12;

/** Remembers which files were found whole, by path, size, time of change and inode, so that a boot need not read them all. */
export interface VerifiedFiles {
  has(key: string): boolean;
  add(key: string): void;
}

/**
 * The image in `folder`, every file verified against the manifest, unless it is remembered as whole and unchanged since.
 * @throws AppError `image-missing` when it is absent, incomplete or damaged.
 */
export async function openGuestImage(
  folder: string,
  verified: VerifiedFiles,
  signal?: AbortSignal,
): Promise<GuestImage> {
  const manifest = await readManifest(folder);
  const names = ['vmlinuz', 'initramfs.img', 'system.erofs'] as const;
  await Promise.all(names.map((name) => verify(path.join(folder, name), manifest.files[name], verified, signal)));
  const at = (name: (typeof names)[number]): string => path.join(folder, name);
  return {
    architecture: manifest.arch,
    version: manifest.version,
    id: imageId(manifest),
    kernel: at('vmlinuz'),
    initramfs: at('initramfs.img'),
    system: at('system.erofs'),
  };
}

/** The id of the image in `folder` without reading the large files, or undefined when there is none. */
export async function guestImageId(folder: string): Promise<string | undefined> {
  try {
    return imageId(await readManifest(folder));
  } catch (error) {
    if (error instanceof AppError && error.code === 'image-missing') return undefined;
    throw error;
  }
}

function imageId(manifest: Manifest): string {
  const { files } = manifest;
  return createHash('sha256')
    .update([files.vmlinuz.sha256, files['initramfs.img'].sha256, files['system.erofs'].sha256].join())
    .digest('hex')
    .slice(0, 16);
}

async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, 'manifest.json');
  const text = await readIfThere(file);
  if (text === undefined) throw missing(`there is none in ${folder}`);
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw missing(`${file} cannot be read: ${(error as Error).message.split('\n')[0] ?? ''}`, error);
  }
}

async function verify(
  file: string,
  expected: Manifest['files']['vmlinuz'],
  verified: VerifiedFiles,
  signal?: AbortSignal,
): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw missing(`${file} is not there`);
  if (found.size !== expected.sizeBytes) throw missing(`${file} has ${found.size} bytes, not ${expected.sizeBytes}`);
  const key = [file, found.size, found.mtimeMs, found.ino, expected.sha256].join(' ');
  if (verified.has(key)) return;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash, { ...(signal && { signal }) });
  if (hash.digest('hex') !== expected.sha256) {
    throw missing(`${file} is damaged: its SHA-256 is not the manifest's`);
  }
  verified.add(key);
}

/** In a file of the home; a damaged one is as good as none. */
export async function openVerifiedFiles(file: string): Promise<VerifiedFiles & { save(): Promise<void> }> {
  const text = await readIfThere(file);
  const known = new Set(parseKeys(text));
  let changed = false;
  return {
    has: (key) => known.has(key),
    add: (key) => {
      known.add(key);
      changed = true;
    },
    save: async () => {
      if (changed) await writeDurably(file, JSON.stringify([...known].slice(-maxKept)));
      changed = false;
    },
  };
}

function parseKeys(text: string | undefined): string[] {
  try {
    return z.array(z.string()).parse(JSON.parse(text ?? '[]'));
  } catch {
    return [];
  }
}

function missing(reason: string, cause?: unknown): AppError {
  return new AppError('image-missing', `open the guest image: ${reason}`, {
    hint: 'In a checkout, build it with: npm run image. An installed Wherry needs to be installed again.',
    cause,
  });
}
