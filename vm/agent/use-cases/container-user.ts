/** `User` of a container or exec (`name`, `uid`, `user:group`) to numbers, by the container's own passwd and group files. */
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import path from 'node:path';
import { EngineError } from '../../contract/errors.ts';
import type { RootFilesystem } from '../runtime/runtime.ts';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** The primary one among them, so that a file closed to that group stays closed (CVE-2022-36109). */
  readonly additionalGids: readonly number[];
  /** `/` when passwd knows no better. */
  readonly home: string;
}

const maxId = 2 ** 31 - 1;
const maxFileBytes = 4 * 1024 * 1024;

/** Throws `invalid-parameter`, in Docker's words, when a name is unknown. */
export async function resolveUser(
  rootfs: Pick<RootFilesystem, 'upperDir' | 'lowerDirs'>,
  user: string,
  groupAdd: readonly string[],
): Promise<ResolvedUser> {
  const { passwd, group } = await readUserFiles([rootfs.upperDir, ...rootfs.lowerDirs]);
  return lookUpUser(passwd, group, user, groupAdd);
}

/** Fields of the topmost passwd and group files. */
export async function readUserFiles(layers: readonly string[]): Promise<{ passwd: string[][]; group: string[][] }> {
  const [passwd, group] = await Promise.all([readFields(layers, 'etc/passwd'), readFields(layers, 'etc/group')]);
  return { passwd, group };
}

/** The rule itself, on the files' fields. */
export function lookUpUser(
  passwd: readonly (readonly string[])[],
  group: readonly (readonly string[])[],
  user: string,
  groupAdd: readonly string[],
): ResolvedUser {
  const [userPart = '', groupPart] = `${user.startsWith(':') || user === '' ? '0' : ''}${user}`.split(':');
  const uidGiven = parseId(userPart);
  const entry =
    passwd.find((fields) => fields[0] === userPart) ??
    (uidGiven === undefined ? undefined : passwd.find((fields) => parseId(fields[2] ?? '') === uidGiven));
  const uid = entry === undefined ? uidGiven : parseId(entry[2] ?? '');
  if (uid === undefined) {
    throw new EngineError('invalid-parameter', `unable to find user ${userPart}: no matching entries in passwd file`);
  }
  const gid =
    groupPart === undefined || groupPart === '' ? (parseId(entry?.[3] ?? '') ?? 0) : groupId(group, groupPart);
  const userName = entry?.[0];
  const memberships =
    groupPart === undefined && userName !== undefined
      ? group
          .filter((fields) => (fields[3] ?? '').split(',').includes(userName))
          .map((fields) => parseId(fields[2] ?? ''))
      : [];
  const added = groupAdd.map((name) => groupId(group, name));
  const additional = [gid, ...memberships, ...added].filter((id): id is number => id !== undefined);
  const home = entry?.[5] ?? '';
  return { uid, gid, additionalGids: [...new Set(additional)], home: home === '' ? '/' : home };
}

function groupId(group: readonly (readonly string[])[], name: string): number {
  const known = group.find((fields) => fields[0] === name);
  const id = known === undefined ? parseId(name) : parseId(known[2] ?? '');
  if (id !== undefined) return id;
  throw new EngineError('invalid-parameter', `unable to find group ${name}: no matching entries in group file`);
}

function parseId(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= maxId ? id : undefined;
}

/** From the topmost layer that has the file. Links are not followed: a layer's links are its author's choice. */
async function readFields(layers: readonly string[], name: string): Promise<string[][]> {
  for (const layer of layers) {
    const text = await readPlain(layer, name);
    if (text === 'deleted') return [];
    if (text !== undefined) return text.content.split('\n').map((line) => line.split(':'));
  }
  return [];
}

async function readPlain(layer: string, name: string): Promise<{ content: string } | 'deleted' | undefined> {
  let current = layer;
  for (const part of name.split('/')) {
    current = path.join(current, part);
    const stats = await lstat(current).catch(() => undefined);
    if (stats === undefined || stats.isSymbolicLink()) return undefined;
    // An overlay whiteout: device 0:0.
    if (stats.isCharacterDevice()) return 'deleted';
    if (stats.isDirectory()) continue;
    if (!stats.isFile() || stats.size > maxFileBytes) return undefined;
  }
  // Between the look and the read a running container may have put a link or pipe there.
  const file = await open(current, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return { content: await file.readFile('utf8') };
  } finally {
    await file.close();
  }
}
