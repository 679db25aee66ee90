/** How well letters typed in order match a text: higher is better, undefined is no match. Pure. */
export function fuzzyScore(query: string, text: string): number | undefined {
  const wanted = query.toLowerCase().replace(/\s+/g, '');
  const within = text.toLowerCase();
  if (wanted === '') return 0;
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = within.indexOf(letter, at + 1);
    if (next === -1) return undefined;
    const starts = next === 0 || /[^a-z0-9]/.test(within.charAt(next - 1));
    score += next === at + 1 ? 4 : starts ? 3 : 0;
    score -= Math.min(3, next - at - 1) * 0.5;
    at = next;
  }
  // The very words beat letters strewn over a long text, most of all where a word starts.
  const whole = within.indexOf(query.toLowerCase().trim());
  if (whole !== -1) score += whole === 0 || /[^a-z0-9]/.test(within.charAt(whole - 1)) ? 8 : 2;
  return score - text.length * 0.01;
}
