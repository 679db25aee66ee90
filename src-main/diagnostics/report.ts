/** One text for a bug report: what this machine, Wherry, the VM and the engine say of themselves, without secrets. */
import { readdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Settings, VmView } from '../contract/vm.ts';
import { EngineClient } from '../engine/client.ts';
import type { HomePaths } from '../home.ts';
import type { DoctorService, GuestLink } from '../services.ts';
import { consoleTail } from '../vm/console.ts';
import { redact } from './redact.ts';

const logBytes = 128 * 1024;
const engineTimeoutMs = 10_000;
const engineLists = ['/version', '/info', '/containers/json?all=1', '/images/json', '/volumes', '/networks'] as const;

export interface ReportSources {
  readonly version: string;
  readonly paths: HomePaths;
  readonly settings: Settings;
  readonly doctor: DoctorService;
  /** Absent without an owner. */
  readonly vm: VmView | undefined;
  /** Absent when the engine is not to be asked. */
  readonly link: GuestLink | undefined;
}

/** Never rejects for a part that cannot be had: the report says so in its place. */
export async function diagnosticReport(sources: ReportSources, signal?: AbortSignal): Promise<string> {
  const { paths, settings, doctor, vm, link, version } = sources;
  const parts: [string, string][] = [
    ['About', json(aboutThis(version))],
    ['Settings', json(settings)],
    ['Virtual machine', vm === undefined ? 'no Wherry process owns this home' : json(vm)],
    ['Doctor', await attempt(async () => json(await doctor.run(signal)))],
    ...(link === undefined ? [] : await askEngine(link, signal)),
    ['Serial console', await attempt(() => consoleTail(paths.vm.console, logBytes))],
    ...(await readLogs(paths.logs)),
  ];
  signal?.throwIfAborted();
  const text = parts.map(([title, body]) => `== ${title}\n\n${body.trimEnd()}\n`).join('\n');
  return redact(text, os.homedir());
}

function aboutThis(version: string): object {
  return {
    wherry: version,
    at: new Date().toISOString(),
    platform: `${process.platform} ${process.arch}, ${os.version()} ${os.release()}`,
    node: process.versions.node,
    electron: process.versions['electron'],
    cpus: `${os.cpus().length} × ${os.cpus()[0]?.model ?? 'unknown'}`,
    memoryBytes: { total: os.totalmem(), free: os.freemem() },
  };
}

async function askEngine(link: GuestLink, signal: AbortSignal | undefined): Promise<[string, string][]> {
  const engine = new EngineClient(link);
  try {
    const told: [string, string][] = [];
    for (const path of engineLists) {
      const request = { attempt: `ask ${path}`, path, timeoutMs: engineTimeoutMs, ...(signal && { signal }) };
      told.push([`Engine: GET ${path}`, await attempt(async () => json(await engine.json(request, z.unknown())))]);
      signal?.throwIfAborted();
    }
    return told;
  } finally {
    engine.close();
  }
}

async function readLogs(folder: string): Promise<[string, string][]> {
  const names = await readdir(folder).catch((): string[] => []);
  return Promise.all(
    names
      .filter((name) => name.endsWith('.log'))
      .sort()
      .map(async (name): Promise<[string, string]> => {
        return [`Log: ${name}`, await attempt(() => consoleTail(path.join(folder, name), logBytes))];
      }),
  );
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

async function attempt(work: () => Promise<string>): Promise<string> {
  try {
    return await work();
  } catch (error) {
    return `could not be had: ${error instanceof Error ? error.message : String(error)}`;
  }
}
