/**
 * Reads a Dockerfile into its instructions: directives, comments, continued lines, heredocs, flags. What the words of an
 * instruction mean is `instruction.ts`'s, variables are `expansion.ts`'s. Format: docs.docker.com, "Dockerfile reference".
 */
import { EngineError } from '../../contract/errors.ts';
import { heredocMarks } from './heredoc.ts';
import type { Heredoc } from './heredoc.ts';
import { splitWords } from './expansion.ts';

export interface RawInstruction {
  /** In capitals. */
  readonly keyword: string;
  /** As written, without continuations and comments. */
  readonly original: string;
  /** `--name=value` words before the arguments, as they were written. */
  readonly flags: readonly string[];
  /** What follows the flags. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  /** Where it begins, counted from 1. */
  readonly line: number;
}

export interface Dockerfile {
  readonly instructions: readonly RawInstruction[];
  /** `\` or, by directive, a backquote. */
  readonly escape: string;
  readonly warnings: readonly string[];
}

const withHeredocs = new Set(['RUN', 'COPY', 'ADD']);

/** Throws `invalid-parameter` in Docker's words. */
export function parseDockerfile(source: string): Dockerfile {
  const lines = source.replace(/^\uFEFF/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const escape = readDirectives(lines);
  const continues = new RegExp(`(^|[^\\${escape}])\\${escape}[ \\t\\r]*$`);
  const instructions: RawInstruction[] = [];
  let emptyContinuation = false;
  for (let at = 0; at < lines.length; at += 1) {
    const first = withoutReturn(lines[at] ?? '').trimStart();
    if (first === '' || first.startsWith('#')) continue;
    const line = at + 1;
    let text = first;
    while (continues.test(text) && at < lines.length) {
      text = text.replace(continues, '$1');
      at += 1;
      let next = lines[at];
      while (next !== undefined && isBlankOrComment(next)) {
        emptyContinuation ||= next.trim() === '';
        at += 1;
        next = lines[at];
      }
      if (next === undefined) break;
      text += withoutReturn(next);
    }
    const bare = splitInstruction(text, escape, line);
    const heredocs: Heredoc[] = [];
    for (const mark of withHeredocs.has(heredocKeyword(bare)) ? heredocMarks(bare.text, escape) : []) {
      const content: string[] = [];
      for (;;) {
        at += 1;
        const next = lines[at];
        if (next === undefined) throw parseError(line, 'unterminated heredoc');
        const end = withoutReturn(next);
        if ((mark.stripsTabs ? end.replace(/^\t+/, '') : end) === mark.name) break;
        content.push(`${next}\n`);
      }
      heredocs.push({ ...mark, content: content.join('') });
    }
    instructions.push({ ...bare, heredocs });
  }
  if (instructions.length === 0) throw new EngineError('invalid-parameter', 'file with no instructions');
  return { instructions, escape, warnings: emptyContinuation ? [emptyContinuationWarning] : [] };
}

const emptyContinuationWarning = '[WARNING]: Empty continuation lines will become errors in a future release.';

/** `dockerfile parse error on line 3: …`. */
export function parseError(line: number, message: string): EngineError {
  return new EngineError('invalid-parameter', `dockerfile parse error on line ${line}: ${message}`);
}

/** One instruction without heredocs, as in `ONBUILD` and `docker commit --change`. */
export function splitInstruction(text: string, escape: string, line: number): Omit<RawInstruction, 'heredocs'> {
  const match = /^(\S+)(?:\s+([\s\S]*))?$/.exec(text.trim());
  const rest = (match?.[2] ?? '').trim();
  const { flags, text: after } = splitFlags(rest, escape);
  return { keyword: (match?.[1] ?? '').toUpperCase(), original: text.trim(), flags, text: after, line };
}

function splitFlags(rest: string, escape: string): { flags: string[]; text: string } {
  const flags: string[] = [];
  let text = rest;
  while (text.startsWith('--')) {
    const [word = ''] = splitWords(text, escape);
    text = text.slice(word.length).trimStart();
    if (word === '--') break;
    flags.push(word);
  }
  return { flags, text };
}

/** `ONBUILD RUN <<EOF` has the heredoc of its `RUN`. */
function heredocKeyword({ keyword, text }: Pick<RawInstruction, 'keyword' | 'text'>): string {
  return keyword === 'ONBUILD' ? (text.split(/\s/, 1)[0] ?? '').toUpperCase() : keyword;
}

/** `# escape=…` and others, only before anything else. Returns the escape character. */
function readDirectives(lines: readonly string[]): string {
  const seen = new Map<string, string>();
  for (const [index, line] of lines.entries()) {
    const match = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line.trim());
    const name = match?.[1]?.toLowerCase();
    if (name === undefined || !['escape', 'syntax', 'check'].includes(name)) break;
    if (seen.has(name)) throw parseError(index + 1, `only one ${name} parser directive can be used`);
    seen.set(name, match?.[2] ?? '');
  }
  const escape = seen.get('escape') ?? '\\';
  if (escape !== '\\' && escape !== '`') {
    throw new EngineError('invalid-parameter', `invalid escape token '${escape}' does not match \` or \\`);
  }
  return escape;
}

function isBlankOrComment(line: string): boolean {
  const text = line.trim();
  return text === '' || text.startsWith('#');
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
