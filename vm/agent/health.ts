/** What `GET /wherry/v1/health` answers: the stages of the agent's boot, probed when asked. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { GuestHealth, Seed, StageHealth } from '../contract/wherry-api.ts';
import type { AgentConfig } from './config.ts';

/** The boot stages as the agent reaches them; `probe` completes them with what is true now. */
export class GuestStatus {
  disk: StageHealth = { state: 'starting', detail: 'preparing the data disk' };
  engine: StageHealth = { state: 'starting', detail: 'starting the engine' };
  /** Set when the container networks are up; until then the guest's own network is what is told. */
  networkHealth: (() => Promise<StageHealth>) | undefined;
  private readonly startedAtMs = Date.now();
  private readonly instanceId: string;
  private readonly config: AgentConfig;
  private readonly diskSpace: () => Promise<{ sizeBytes: number; freeBytes: number }>;

  constructor(config: AgentConfig, diskSpace: () => Promise<{ sizeBytes: number; freeBytes: number }>) {
    this.config = config;
    this.diskSpace = diskSpace;
    this.instanceId = readSeed(config.seedDir)?.instanceId ?? '';
  }

  async probe(): Promise<GuestHealth> {
    return {
      agent: {
        version: this.config.version,
        pid: process.pid,
        startedAtMs: this.startedAtMs,
        instanceId: this.instanceId,
      },
      disk: await this.probeDisk(),
      network: (await this.networkHealth?.()) ?? probeNetwork(),
      engine: this.engine,
    };
  }

  /** For requests that come before the engine is ready. */
  describeBoot(): string {
    const failed = [this.disk, this.engine].find((stage) => stage.state === 'failed');
    if (failed !== undefined)
      return `the engine cannot start: ${failed.detail}${failed.hint === undefined ? '' : ` (${failed.hint})`}`;
    const current = [this.disk, this.engine].find((stage) => stage.state === 'starting');
    return `the engine is not ready yet: ${current?.detail ?? 'opening'}`;
  }

  private async probeDisk(): Promise<GuestHealth['disk']> {
    if (this.disk.state !== 'ok') return this.disk;
    try {
      return { ...this.disk, ...(await this.diskSpace()) };
    } catch (error) {
      return { state: 'failed', detail: (error as Error).message, hint: 'restart the VM' };
    }
  }
}

/** The seed's facts, or undefined when there is no seed (outside the VM). */
export function readSeed(seedDir: string): Seed | undefined {
  try {
    return JSON.parse(readFileSync(`${seedDir}/seed.json`, 'utf8')) as Seed;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function probeNetwork(): StageHealth {
  const addresses = Object.values(networkInterfaces()).flat();
  const outside = addresses.find((address) => address?.family === 'IPv4' && !address.internal);
  if (outside !== undefined) return { state: 'ok', detail: '' };
  return { state: 'failed', detail: 'the VM has no network address', hint: 'restart the VM' };
}
