/** Patterns as Go's path.Match has them: `*` and `?` within one part between slashes, `[a-z]`, `\x`. */
export function matchesGlob(pattern: string, text: string): boolean {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    const classEnd = character === '[' ? pattern.indexOf(']', at + 2) : -1;
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (classEnd > 0) {
      const inside = pattern.slice(at + 1, classEnd).replace(/[\\[\]]/g, '\\$&');
      source += `[${inside}]`;
      at = classEnd;
    } else {
      if (character === '\\') at += 1;
      source += (pattern[at] ?? '').replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}$`).test(text);
}
