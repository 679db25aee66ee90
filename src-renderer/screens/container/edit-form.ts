/** The edit dialog's fields as typed, what is wrong with them, and what they change. Pure. */
import type { ContainerEdit, MountEdit } from '../../../src-main/contract/engine.ts';
import { formatBytes } from '../../format/quantities.ts';
import { emptyForm, findProblems, nextKey, parseMemory, type RunForm } from '../images/run-form.ts';
import { joinWords, splitWords } from '../images/split-words.ts';

export interface MountRow extends MountEdit {
  readonly key: number;
}

/** The part of the run dialog's form that can be edited, and mounts. */
export type EditForm = Pick<RunForm, 'command' | 'ports' | 'variables' | 'memory' | 'cpus' | 'pids' | 'restart'> & {
  readonly mounts: readonly MountRow[];
};

/** @param imageEnvironment variables of these names can be changed, but not taken away: the image brings them back */
export function toForm(edit: ContainerEdit, imageEnvironment: readonly string[]): EditForm {
  const fromImage = new Set(imageEnvironment.map((entry) => splitVariable(entry).name));
  return {
    command: joinWords(edit.command),
    ports: edit.ports.map(({ containerPort, hostPort, protocol, hostIp }) => ({
      key: nextKey(),
      containerPort: String(containerPort),
      hostPort: hostPort === 0 ? '' : String(hostPort),
      protocol,
      hostIp,
    })),
    variables: edit.environment.map((entry) => {
      const { name, value } = splitVariable(entry);
      return { key: nextKey(), name, value, ...(fromImage.has(name) ? { declared: value } : {}) };
    }),
    mounts: edit.mounts.map((mount) => ({ ...mount, key: nextKey() })),
    memory: edit.memoryBytes === 0 ? '' : memoryText(edit.memoryBytes),
    cpus: edit.cpus === 0 ? '' : String(edit.cpus),
    pids: edit.pidsLimit === 0 ? '' : String(edit.pidsLimit),
    restart: edit.restartPolicy,
  };
}

function splitVariable(entry: string): { readonly name: string; readonly value: string } {
  const at = entry.indexOf('=');
  return at === -1 ? { name: entry, value: '' } : { name: entry.slice(0, at), value: entry.slice(at + 1) };
}

/** Exactly this many bytes, as briefly as the field takes it. */
function memoryText(bytes: number): string {
  for (const [unit, size] of [
    ['g', 1024 ** 3],
    ['m', 1024 ** 2],
  ] as const) {
    if (bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes / 1024}k`;
}

/** As in the run dialog, and for `mount-3`. */
export function editProblems(form: EditForm): Readonly<Record<string, string>> {
  const problems: Record<string, string> = { ...findProblems({ ...emptyForm('scratch'), ...form }) };
  const targets = new Set<string>();
  for (const { key, type, source, target } of form.mounts) {
    const field = `mount-${key}`;
    if (!target.startsWith('/')) problems[field] = 'The place in the container is a path from /.';
    else if (targets.has(target)) problems[field] = `${target} is mounted twice.`;
    else if (type === 'bind' && !source.startsWith('/')) problems[field] = 'A folder in the VM is a path from /.';
    else if (type === 'volume' && !/^[a-zA-Z0-9][\w.-]+$/.test(source)) {
      problems[field] = 'A volume’s name is of letters, digits and . _ -, two at least.';
    }
    targets.add(target);
  }
  return problems;
}

/** Ask {@link editProblems} first. `before` keeps what was not touched exactly as it was. */
export function toEdit(form: EditForm, before: ContainerEdit): ContainerEdit {
  return {
    command: form.command === joinWords(before.command) ? before.command : splitWords(form.command).words,
    environment: form.variables
      .filter(({ name }) => name.trim() !== '')
      .map(({ name, value }) => asBefore(name.trim(), value, before)),
    ports: form.ports
      .filter(({ containerPort }) => containerPort !== '')
      .map(({ containerPort, hostPort, protocol, hostIp = '127.0.0.1' }) => ({
        containerPort: Number(containerPort),
        protocol,
        hostPort: hostPort === '' ? 0 : Number(hostPort),
        hostIp,
      })),
    mounts: form.mounts.map(({ type, source, target, readOnly }) => ({ type, source, target, readOnly })),
    memoryBytes: form.memory.trim() === '' ? 0 : (parseMemory(form.memory) ?? before.memoryBytes),
    cpus: form.cpus.trim() === '' ? 0 : Number(form.cpus),
    pidsLimit: form.pids.trim() === '' ? 0 : Number(form.pids),
    restartPolicy: form.restart,
  };
}

/** `NAME` alone and `NAME=` are not the same to a program. */
function asBefore(name: string, value: string, before: ContainerEdit): string {
  return value === '' && before.environment.includes(name) ? name : `${name}=${value}`;
}

export interface Change {
  readonly what: string;
  /** Absent: it is new. */
  readonly before?: string;
  /** Absent: it goes. */
  readonly after?: string;
}

/** What the edit changes, in the order of the dialog. Empty: nothing. */
export function changesOf(before: ContainerEdit, after: ContainerEdit): readonly Change[] {
  const value = (what: string, read: (edit: ContainerEdit) => string): readonly Change[] =>
    read(before) === read(after) ? [] : [{ what, before: read(before), after: read(after) }];
  return [
    ...value('Command', ({ command }) => (command.length === 0 ? 'the image’s own' : joinWords(command))),
    ...entries('Port', before.ports.map(portEntry), after.ports.map(portEntry)),
    ...entries('Variable', before.environment.map(variableEntry), after.environment.map(variableEntry)),
    ...entries('Mount', before.mounts.map(mountEntry), after.mounts.map(mountEntry)),
    ...value('Memory', ({ memoryBytes }) => (memoryBytes === 0 ? 'no limit' : formatBytes(memoryBytes))),
    ...value('CPUs', ({ cpus }) => (cpus === 0 ? 'no limit' : String(cpus))),
    ...value('Processes', ({ pidsLimit }) => (pidsLimit === 0 ? 'no limit' : String(pidsLimit))),
    ...value('Restart', ({ restartPolicy }) => restartPolicy),
  ];
}

/** Whether the engine can do it without making a new container: limits that are set, and the restart policy. */
export function inPlace(before: ContainerEdit, after: ContainerEdit): boolean {
  const changes = changesOf(before, after);
  return changes.every(({ what, after: value }) => {
    return what === 'Restart' || (['Memory', 'CPUs', 'Processes'].includes(what) && value !== 'no limit');
  });
}

type Entry = readonly [key: string, text: string];

const portEntry = ({ containerPort, protocol, hostPort, hostIp }: ContainerEdit['ports'][number]): Entry => {
  const text = `${hostIp === '' ? 'any address' : hostIp}:${hostPort === 0 ? 'any free port' : hostPort} → ${containerPort}/${protocol}`;
  return [text, text];
};
const variableEntry = (entry: string): Entry => [splitVariable(entry).name, entry];
const mountEntry = ({ type, source, target, readOnly }: MountEdit): Entry => [
  target,
  `${type} ${source} → ${target}${readOnly ? ' (read-only)' : ''}`,
];

function entries(what: string, before: readonly Entry[], after: readonly Entry[]): readonly Change[] {
  const [old, now] = [new Map(before), new Map(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key): Change[] => {
    const [was, is] = [old.get(key), now.get(key)];
    if (was === is) return [];
    return [{ what, ...(was === undefined ? {} : { before: was }), ...(is === undefined ? {} : { after: is }) }];
  });
}
