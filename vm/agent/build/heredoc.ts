/** Heredocs of a Dockerfile: `RUN <<EOF`, `COPY <<-"a" <<b /to/`. */
import { isWhole, splitWords } from './expansion.ts';

export interface HeredocMark {
  readonly name: string;
  /** `<<-`: tabs at the start of its lines go. */
  readonly stripsTabs: boolean;
  /** False when the name was quoted: variables stay as they are. */
  readonly expands: boolean;
}

export interface Heredoc extends HeredocMark {
  /** With a line feed at the end of each line. */
  readonly content: string;
}

/** The heredocs that a line announces, in order. */
export function heredocMarks(text: string, escape: string): HeredocMark[] {
  if (text.trimStart().startsWith('[')) return [];
  return splitWords(text, escape).flatMap((word) => heredocMark(word) ?? []);
}

/** A word that is a heredoc's mark and nothing else. */
export function heredocMark(word: string): HeredocMark | undefined {
  const match = /^\d*<<(-?)([^<]+)$/.exec(word);
  const given = match?.[2];
  if (given === undefined || !isWhole(given)) return undefined;
  const name = given.replaceAll(/['"\\]/g, '');
  return name === '' ? undefined : { name, stripsTabs: match?.[1] === '-', expands: name === given };
}

export function heredocText({ stripsTabs, content }: Heredoc): string {
  return stripsTabs ? content.replaceAll(/^\t+/gm, '') : content;
}
