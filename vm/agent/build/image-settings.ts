/** What the instructions that only change an image's configuration do to it. Pure; variables are expanded already. */
import { EngineError } from '../../contract/errors.ts';
import type { Command } from './command.ts';
import type { Healthcheck } from './healthcheck.ts';
import type { Action } from './instruction.ts';

/** `config` of an image's configuration, as far as a Dockerfile sets it. */
export interface ImageSettings {
  readonly User?: string | undefined;
  readonly ExposedPorts?: Readonly<Record<string, object>> | undefined;
  readonly Env?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[] | undefined;
  readonly Cmd?: readonly string[] | undefined;
  readonly Volumes?: Readonly<Record<string, object>> | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  readonly StopSignal?: string | undefined;
  readonly Healthcheck?: Healthcheck | undefined;
  readonly Shell?: readonly string[] | undefined;
  readonly OnBuild?: readonly string[] | undefined;
}

export interface Changed {
  readonly settings: ImageSettings;
  /** The instruction as the image's history tells it. */
  readonly said: string;
}

type Setting = Exclude<Action, { kind: 'from' | 'arg' | 'run' | 'copy' | 'maintainer' }>;

const maxRangePorts = 65_536;

export function shellOf(settings: ImageSettings): readonly string[] {
  return settings.Shell !== undefined && settings.Shell.length > 0 ? settings.Shell : ['/bin/sh', '-c'];
}

/** What is executed for a command. */
export function commandWords(command: Command, settings: ImageSettings): string[] {
  return command.form === 'exec' ? [...command.words] : [...shellOf(settings), command.text];
}

/** `commandGiven`: this stage has said CMD before, so that an ENTRYPOINT leaves it. */
export function applySetting(settings: ImageSettings, action: Setting, commandGiven = true): Changed {
  switch (action.kind) {
    case 'env': {
      const entries = action.pairs.map(({ name, value }) => `${name}=${value}`);
      return {
        settings: { ...settings, Env: mergeEnv(settings.Env ?? [], entries) },
        said: `ENV ${entries.join(' ')}`,
      };
    }
    case 'label': {
      const given = Object.fromEntries(action.pairs.map(({ name, value }) => [name, value]));
      const said = action.pairs.map(({ name, value }) => `${name}=${value}`).join(' ');
      return { settings: { ...settings, Labels: { ...settings.Labels, ...given } }, said: `LABEL ${said}` };
    }
    case 'cmd': {
      const words = commandWords(action.command, settings);
      const isEmpty = action.command.form === 'shell' && action.command.text === '';
      return { settings: { ...settings, Cmd: isEmpty ? [] : words }, said: `CMD ${quoted(isEmpty ? [] : words)}` };
    }
    case 'entrypoint': {
      const isEmpty = action.command.form === 'shell' && action.command.text === '';
      const words = isEmpty ? [] : commandWords(action.command, settings);
      const { Cmd, Entrypoint: _before, ...rest } = settings;
      return {
        settings: {
          ...rest,
          ...(words.length > 0 ? { Entrypoint: words } : {}),
          // The image below had a command for its own entrypoint.
          ...(commandGiven && Cmd !== undefined ? { Cmd } : {}),
        },
        said: `ENTRYPOINT ${quoted(words)}`,
      };
    }
    case 'expose': {
      const ports = action.words.flatMap(portKeys);
      const given = Object.fromEntries(ports.map((port) => [port, {}]));
      return {
        settings: { ...settings, ExposedPorts: { ...settings.ExposedPorts, ...given } },
        said: `EXPOSE ${action.words.join(' ')}`,
      };
    }
    case 'volume': {
      const given = Object.fromEntries(action.words.map((word) => [word, {}]));
      return {
        settings: { ...settings, Volumes: { ...settings.Volumes, ...given } },
        said: `VOLUME [${action.words.join(' ')}]`,
      };
    }
    case 'shell':
      return { settings: { ...settings, Shell: action.words }, said: `SHELL [${action.words.join(' ')}]` };
    case 'workdir': {
      const folder = resolvePath(settings.WorkingDir, action.value);
      return { settings: { ...settings, WorkingDir: folder }, said: `WORKDIR ${folder}` };
    }
    case 'user':
      return { settings: { ...settings, User: action.value }, said: `USER ${action.value}` };
    case 'stopsignal':
      return { settings: { ...settings, StopSignal: action.value }, said: `STOPSIGNAL ${action.value}` };
    case 'onbuild':
      return {
        settings: { ...settings, OnBuild: [...(settings.OnBuild ?? []), action.value] },
        said: `ONBUILD ${action.value}`,
      };
    case 'healthcheck':
      return {
        settings: { ...settings, Healthcheck: action.healthcheck },
        said: `HEALTHCHECK ${JSON.stringify(action.healthcheck)}`,
      };
  }
}

/** Later entries take the place of earlier ones of that name. */
export function mergeEnv(env: readonly string[], given: readonly string[]): string[] {
  const merged = new Map(env.map((entry) => [nameOf(entry), entry]));
  for (const entry of given) merged.set(nameOf(entry), entry);
  return [...merged.values()];
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? '';
}

/** An absolute path without `.`, `..` and a slash at its end; a relative one begins at `base`. */
export function resolvePath(base: string | undefined, given: string): string {
  const parts: string[] = [];
  for (const part of `${given.startsWith('/') ? '' : (base ?? '/')}/${given}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** `80`, `80/udp`, `8000-8010/tcp`. */
function portKeys(word: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || last >= maxRangePorts || last < first) {
    throw new EngineError('invalid-parameter', `invalid containerPort: ${word}`);
  }
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

/** As Go's `%q` shows a list. */
function quoted(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
}
