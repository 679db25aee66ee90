/** The runtime as the use cases see it. */
import { writeFile } from 'node:fs/promises';
import type { AgentConfig } from './config.ts';
import { log } from './log.ts';
import { defaultCapabilities } from './runtime/capabilities.ts';
import { compileCgroupLimits } from './runtime/cgroup-limits.ts';
import { createMonitorRuntime } from './runtime/monitor-runtime.ts';
import type { ContainerRuntime } from './runtime/runtime.ts';
import { createSeccompCompiler } from './runtime/seccomp.ts';
import { defaultSeccompProfile, parseSeccompProfile } from './runtime/seccomp-profile.ts';
import { readStats } from './runtime/stats.ts';
import type { ContainerRecord } from './state/container-record.ts';
import { resourceLimits } from './use-cases/container-spec.ts';
import { containerPaths } from './use-cases/parts.ts';
import type { Parts } from './use-cases/parts.ts';

export interface RuntimeServices extends Pick<Parts, 'seccompProfile' | 'applyLimits' | 'readStats'> {
  readonly runtime: ContainerRuntime;
}

const cgroupRoot = '/sys/fs/cgroup';

export function openRuntime(config: AgentConfig): RuntimeServices {
  const runtime = createMonitorRuntime({
    programs: config.programsDir,
    runDir: config.runDir,
    cgroupRoot,
    compileSeccomp: createSeccompCompiler({
      program: `${config.programsDir}/seccomp`,
      cacheDir: `${config.dataDir}/seccomp`,
    }),
  });
  // In the background: a start that comes sooner, or after a failure here, does it itself.
  runtime
    .prepare(defaultSeccompProfile(defaultCapabilities), AbortSignal.timeout(60_000))
    .catch((error: unknown) => log.warn('prepare the runtime', error));
  return {
    runtime,
    seccompProfile: (json, capabilities) =>
      json === undefined ? defaultSeccompProfile(capabilities) : parseSeccompProfile(json, capabilities),
    applyLimits: (record) => applyLimits(config, record),
    readStats: (cgroup, pid) => readStats(`${cgroupRoot}/${cgroup}`, pid),
  };
}

async function applyLimits(config: AgentConfig, record: ContainerRecord): Promise<void> {
  const folder = `${cgroupRoot}/${containerPaths(config, record.id).cgroup}`;
  for (const { file, value, optional } of compileCgroupLimits({ ...resourceLimits(record.hostConfig), devices: [] })) {
    await writeFile(`${folder}/${file}`, value).catch((error: unknown) => {
      if (!optional) throw error;
    });
  }
}
