/** Whether every word of the query is somewhere in the texts, in any case. An empty query matches everything. */
export function matchesWords(query: string, ...texts: readonly string[]): boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const text = texts.join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}
