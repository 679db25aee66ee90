/** What each instruction of a Dockerfile says, checked, variables not yet expanded. Refusals in Docker's words. */
import { jsonWords, readCommand } from './command.ts';
import type { Command } from './command.ts';
import type { Heredoc } from './heredoc.ts';
import { parseError, splitInstruction } from './dockerfile.ts';
import type { RawInstruction } from './dockerfile.ts';
import { splitWords } from './expansion.ts';
import { readHealthcheck } from './healthcheck.ts';
import type { Healthcheck } from './healthcheck.ts';

export interface Pair {
  readonly name: string;
  readonly value: string;
}

export type Action =
  | { readonly kind: 'from'; readonly image: string; readonly name: string; readonly platform: string }
  | { readonly kind: 'arg'; readonly args: readonly { readonly name: string; readonly value: string | undefined }[] }
  | { readonly kind: 'env' | 'label'; readonly pairs: readonly Pair[] }
  | { readonly kind: 'run'; readonly command: Command; readonly heredocs: readonly Heredoc[] }
  | CopyAction
  | { readonly kind: 'cmd' | 'entrypoint'; readonly command: Command }
  | { readonly kind: 'expose' | 'volume' | 'shell'; readonly words: readonly string[] }
  | { readonly kind: 'workdir' | 'user' | 'stopsignal' | 'onbuild'; readonly value: string }
  | { readonly kind: 'maintainer'; readonly value: string }
  | { readonly kind: 'healthcheck'; readonly healthcheck: Healthcheck };

export interface CopyAction {
  readonly kind: 'copy';
  readonly verb: 'ADD' | 'COPY';
  readonly sources: readonly string[];
  readonly destination: string;
  readonly heredocs: readonly Heredoc[];
  readonly from: string;
  readonly chown: string;
  readonly chmod: string;
}

export type Instruction = Action & { readonly original: string; readonly line: number };

const keywords = [
  ...['ADD', 'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'HEALTHCHECK', 'LABEL', 'MAINTAINER'],
  ...['ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'],
];

/** Flags that only make sense to BuildKit, which this engine does not have. */
const buildKitFlags = ['mount', 'network', 'security', 'link', 'parents', 'exclude', 'checksum', 'keep-git-dir'];

export function readInstruction(raw: RawInstruction, escape: string): Instruction {
  const fail = (message: string): Error => parseError(raw.line, message);
  if (!keywords.includes(raw.keyword)) throw fail(`unknown instruction: ${raw.keyword}`);
  if (raw.text === '' && !(raw.keyword === 'CMD' || raw.keyword === 'ENTRYPOINT')) {
    throw fail(
      `${raw.keyword} requires ${raw.keyword === 'FROM' ? 'either one or three arguments' : needed(raw.keyword)}`,
    );
  }
  return { ...readAction(raw, escape, fail), original: raw.original, line: raw.line };
}

/** One instruction given as text, as in `ONBUILD` and `docker commit --change`. */
export function readInstructionText(text: string, escape: string): Instruction {
  return readInstruction({ ...splitInstruction(text, escape, 1), heredocs: [] }, escape);
}

function needed(keyword: string): string {
  return ['USER', 'WORKDIR', 'STOPSIGNAL', 'MAINTAINER'].includes(keyword)
    ? 'exactly one argument'
    : 'at least one argument';
}

function readAction(raw: RawInstruction, escape: string, fail: (message: string) => Error): Action {
  const { text, heredocs } = raw;
  const flags = readFlags(raw, fail);
  switch (raw.keyword) {
    case 'FROM':
      return readFrom(text, flags, fail);
    case 'ARG':
      return { kind: 'arg', args: splitWords(text, escape).map((word) => readArgument(word, fail)) };
    case 'ENV':
    case 'LABEL':
      return { kind: raw.keyword === 'ENV' ? 'env' : 'label', pairs: readPairs(raw.keyword, text, escape, fail) };
    case 'RUN':
      return { kind: 'run', command: readCommand(text, fail), heredocs };
    case 'ADD':
    case 'COPY':
      return readCopy(raw.keyword, raw, flags, escape, fail);
    case 'CMD':
    case 'ENTRYPOINT':
      return { kind: raw.keyword === 'CMD' ? 'cmd' : 'entrypoint', command: readCommand(text, fail) };
    case 'SHELL': {
      const words = jsonWords(text, fail);
      if (words === undefined) throw fail('SHELL requires the arguments to be in JSON form');
      if (words.length === 0) throw fail('SHELL requires at least one argument');
      return { kind: 'shell', words };
    }
    case 'EXPOSE':
      return { kind: 'expose', words: splitWords(text, escape) };
    case 'VOLUME': {
      const words = jsonWords(text, fail) ?? splitWords(text, escape);
      if (words.some((word) => word.trim() === '')) throw fail('VOLUME specified can not be an empty string');
      return { kind: 'volume', words };
    }
    case 'HEALTHCHECK':
      return { kind: 'healthcheck', healthcheck: readHealthcheck(text, flags, fail) };
    case 'ONBUILD':
      return readOnbuild(text, fail);
    case 'USER':
      return { kind: 'user', value: text };
    case 'WORKDIR':
      return { kind: 'workdir', value: text };
    case 'STOPSIGNAL':
      return { kind: 'stopsignal', value: text };
    default:
      return { kind: 'maintainer', value: text };
  }
}

const knownFlags: Readonly<Record<string, readonly string[]>> = {
  FROM: ['platform'],
  ADD: ['chown', 'chmod'],
  COPY: ['chown', 'chmod', 'from'],
  HEALTHCHECK: ['interval', 'timeout', 'start-period', 'start-interval', 'retries'],
};

function readFlags(raw: RawInstruction, fail: (message: string) => Error): ReadonlyMap<string, string> {
  const flags = new Map<string, string>();
  for (const word of raw.flags) {
    const [, name = '', value] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    if (!(knownFlags[raw.keyword] ?? []).includes(name)) {
      if (!buildKitFlags.includes(name)) throw fail(`unknown flag: ${name}`);
      throw fail(
        `the --${name} option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled`,
      );
    }
    if (flags.has(name)) throw fail(`duplicate flag specified: ${name}`);
    if (value === undefined) throw fail(`missing a value on flag: ${name}`);
    flags.set(name, value);
  }
  return flags;
}

function readFrom(text: string, flags: ReadonlyMap<string, string>, fail: (message: string) => Error): Action {
  const words = text.split(/\s+/);
  const [image = '', as = '', name = ''] = words;
  const platform = flags.get('platform') ?? '';
  if (words.length === 1) return { kind: 'from', image, name: '', platform };
  if (words.length !== 3 || as.toLowerCase() !== 'as') throw fail('FROM requires either one or three arguments');
  if (!/^[a-z][a-z0-9-_.]*$/.test(name.toLowerCase())) {
    throw fail(`invalid name for build stage: "${name}", name can't start with a number or contain symbols`);
  }
  return { kind: 'from', image, name: name.toLowerCase(), platform };
}

function readArgument(word: string, fail: (message: string) => Error): { name: string; value: string | undefined } {
  const at = word.indexOf('=');
  const name = at < 0 ? word : word.slice(0, at);
  if (name === '') throw fail('ARG names can not be blank');
  return { name, value: at < 0 ? undefined : word.slice(at + 1) };
}

/** `a=b c="d e"`, or the old `a the rest`. */
function readPairs(keyword: string, text: string, escape: string, fail: (message: string) => Error): Pair[] {
  const words = splitWords(text, escape);
  const [first = ''] = words;
  if (!first.includes('=')) {
    const value = text.slice(first.length).trimStart();
    if (value === '') throw fail(`${keyword} must have two arguments`);
    return [{ name: first, value }];
  }
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at < 0) throw fail(`Syntax error - can't find = in "${word}". Must be of the form: name=value`);
    if (at === 0) throw fail(`${keyword} names can not be blank`);
    return { name: word.slice(0, at), value: word.slice(at + 1) };
  });
}

function readCopy(
  verb: 'ADD' | 'COPY',
  { text, heredocs }: RawInstruction,
  flags: ReadonlyMap<string, string>,
  escape: string,
  fail: (message: string) => Error,
): Action {
  const words = jsonWords(text, fail) ?? splitWords(text, escape);
  if (words.length < 2)
    throw fail(
      `${verb} requires at least two arguments, but only one was provided. Destination could not be determined.`,
    );
  const destination = words.at(-1) ?? '';
  const sources = words.slice(0, -1);
  if (sources.length > 1 && !/(?:[/\\]|^\.|\/\.)$/.test(destination) && !/\$/.test(destination)) {
    throw fail(
      `When using ${verb} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
  return {
    kind: 'copy',
    verb,
    sources,
    destination,
    heredocs,
    from: flags.get('from') ?? '',
    chown: flags.get('chown') ?? '',
    chmod: flags.get('chmod') ?? '',
  };
}

function readOnbuild(text: string, fail: (message: string) => Error): Action {
  const trigger = (text.split(/\s/, 1)[0] ?? '').toUpperCase();
  if (trigger === 'ONBUILD') throw fail("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger === 'MAINTAINER' || trigger === 'FROM') throw fail(`${trigger} isn't allowed as an ONBUILD trigger`);
  return { kind: 'onbuild', value: text };
}
