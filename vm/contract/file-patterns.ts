/**
 * Patterns for files: `.dockerignore`, and the wildcards of COPY and ADD (Go's filepath.Match). The window leaves out of a
 * context what `.dockerignore` names; the agent matches the same in a Dockerfile.
 */

/** The lines that mean something, as Docker reads them. */
export function readIgnoreFile(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const isException = line.startsWith('!');
      const pattern = cleanPath((isException ? line.slice(1).trim() : line).replace(/^\/+/, ''));
      return isException ? `!${pattern}` : pattern;
    });
}

/** Whether a path (relative, without `./`) is left out: the last pattern that fits it, or a folder above it, decides. */
export function isIgnored(patterns: readonly string[], path: string): boolean {
  return ignoreFilter(patterns)(path);
}

/** {@link isIgnored} for many paths. */
export function ignoreFilter(patterns: readonly string[]): (path: string) => boolean {
  const rules = patterns.map((pattern) => {
    const isException = pattern.startsWith('!');
    return { isException, matcher: ignoreMatcher(isException ? pattern.slice(1) : pattern) };
  });
  return (path) => {
    const parts = path.split('/');
    const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    let ignored = false;
    for (const { isException, matcher } of rules) {
      if (isException !== ignored) continue;
      if (prefixes.some((prefix) => matcher.test(prefix))) ignored = !isException;
    }
    return ignored;
  };
}

function ignoreMatcher(pattern: string): RegExp {
  return new RegExp(`^${translate(pattern, true)}$`, 's');
}

/** One part of a path against one part of a pattern. */
export function matchesName(pattern: string, name: string): boolean {
  return new RegExp(`^${translate(pattern, false)}$`, 's').test(name);
}

export function hasWildcards(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/** `**` (any number of folders) only in ignore files. A class that is not closed matches nothing. */
function translate(pattern: string, doubleStars: boolean): string {
  let out = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? '';
    if (char === '*' && doubleStars && pattern[at + 1] === '*') {
      at += 1;
      if (pattern[at + 1] === '/') at += 1;
      out += at === pattern.length - 1 && pattern[at] === '*' ? '.*' : '(?:.*/)?';
    } else if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '\\') {
      at += 1;
      out += literal(pattern[at] ?? '\\');
    } else if (char === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) return '(?!)';
      const inner = pattern.slice(at + 1, end);
      const negated = inner.startsWith('^');
      out += `[${negated ? '^/' : ''}${(negated ? inner.slice(1) : inner).replaceAll(/[\]\\^[]/g, '\\$&')}]`;
      at = end;
    } else out += literal(char);
  }
  return out;
}

function literal(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/]/, '\\$&');
}

/** Without `.`, empty parts and, where there is something to go back from, `..`. */
function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.length === 0 ? '.' : parts.join('/');
}
