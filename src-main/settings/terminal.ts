/** The settings of terminals' looks: what is wrong with them. */
import { z } from 'zod';
import { AppError } from '../contract/errors.ts';
import { terminalFontSizes, type TerminalSettings } from '../contract/vm.ts';

const maxFontLength = 200;

export const terminalSchema = z.object({
  fontFamily: z.string(),
  fontSize: z.number(),
  theme: z.enum(['window', 'light', 'dark', 'black']),
});

/** @throws AppError `invalid-input` naming the field and what is wrong. */
export function checkTerminal(given: TerminalSettings): TerminalSettings {
  const { least, most } = terminalFontSizes;
  const { fontSize } = given;
  if (!Number.isInteger(fontSize) || fontSize < least || fontSize > most) {
    throw wrong(`terminal.fontSize must be a whole number from ${least} to ${most}, not ${fontSize}`);
  }
  const fontFamily = given.fontFamily.trim();
  if (fontFamily.length > maxFontLength) {
    throw wrong(`terminal.fontFamily: more than ${maxFontLength} characters are too many`);
  }
  // The name becomes part of a style sheet: names only, bare or in quotes that close.
  const name = String.raw`(?:[\p{L}\p{N} ._-]+|"[\p{L}\p{N} ._-]+"|'[\p{L}\p{N} ._-]+')`;
  if (fontFamily !== '' && !new RegExp(`^${name}(?:\\s*,\\s*${name})*$`, 'u').test(fontFamily)) {
    throw wrong(
      'terminal.fontFamily: names of fonts are needed, separated by commas',
      "As in: 'JetBrains Mono', Menlo",
    );
  }
  return { ...given, fontFamily };
}

function wrong(problem: string, hint?: string): AppError {
  return new AppError('invalid-input', `change settings: ${problem}`, hint === undefined ? {} : { hint });
}
