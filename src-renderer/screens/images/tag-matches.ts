/** Which of a repository's tags fit what is typed. */

export interface TypedTag {
  /** Before the colon. */
  readonly repository: string;
  /** After it, as far as it is typed. */
  readonly tag: string;
}

/** Undefined while there is no colon that begins a tag. */
export function typedTag(text: string): TypedTag | undefined {
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1);
  if (colon <= 0 || text.includes('@') || /\s/.test(text)) return undefined;
  const repository = text.slice(0, colon);
  return repository.endsWith('/') ? undefined : { repository, tag: text.slice(colon + 1) };
}

const collator = new Intl.Collator('en', { numeric: true });

/** Those that begin so first, then those that hold it; `latest` before all, then the newest by number. */
export function matchTags(tags: readonly string[], typed: string): readonly string[] {
  const wanted = typed.toLowerCase();
  const begins = (tag: string) => tag.toLowerCase().startsWith(wanted);
  return tags
    .filter((tag) => tag.toLowerCase().includes(wanted))
    .sort(
      (a, b) =>
        Number(b === 'latest') - Number(a === 'latest') ||
        Number(begins(b)) - Number(begins(a)) ||
        collator.compare(b, a),
    );
}
