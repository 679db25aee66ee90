/** Words of a Dockerfile and the variables in them, by the rules of the Dockerfile reference ("Environment replacement"). */
import { EngineError } from '../../contract/errors.ts';

export type Variables = ReadonlyMap<string, string>;

/** Splits at white space outside of quotes; quotes and escapes stay in the words. */
export function splitWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === escape && quote !== "'") {
      word += char + (text[at + 1] ?? '');
      at += 1;
    } else if (quote !== '') {
      word += char;
      if (char === quote) quote = '';
    } else if (/\s/.test(char)) {
      if (word !== '') words.push(word);
      word = '';
    } else {
      if (char === '"' || char === "'") quote = char;
      word += char;
    }
  }
  if (word !== '') words.push(word);
  return words;
}

/** Its quotes are closed. */
export function isWhole(word: string): boolean {
  return /^(?:[^'"]|'[^']*'|"[^"]*")*$/.test(word);
}

/** Takes quotes and escapes away and puts the values in. Unknown variables are empty. Throws on a malformed `${…}`. */
export function expand(word: string, variables: Variables, escape: string): string {
  return new Expander(word, variables, escape).run().join('');
}

/** Like {@link expand}; a value outside of quotes may become several words, or none. */
export function expandToWords(word: string, variables: Variables, escape: string): string[] {
  const words: string[] = [];
  let current: string | undefined;
  for (const part of new Expander(word, variables, escape).run()) {
    if (part instanceof Value) {
      const pieces = part.split(/\s+/);
      pieces.forEach((piece, index) => {
        if (index > 0 && current !== undefined) words.push(current);
        if (index > 0) current = undefined;
        if (piece !== '') current = (current ?? '') + piece;
      });
    } else current = (current ?? '') + part;
  }
  if (current !== undefined) words.push(current);
  return words;
}

/** A heredoc's text: variables are put in, an escaped `$` is a dollar, quotes mean nothing. */
export function expandText(text: string, variables: Variables, escape: string): string {
  return new Expander(text, variables, escape).runText();
}

/** A variable's value that stood outside of quotes. */
class Value extends String {}

class Expander {
  private readonly text: string;
  private readonly variables: Variables;
  private readonly escape: string;
  private at = 0;

  constructor(text: string, variables: Variables, escape: string) {
    this.text = text;
    this.variables = variables;
    this.escape = escape;
  }

  run(): (string | Value)[] {
    return this.parts('');
  }

  runText(): string {
    let out = '';
    while (this.at < this.text.length) {
      const char = this.text[this.at] ?? '';
      const next = this.text[this.at + 1] ?? '';
      if (char === this.escape && (next === '$' || next === this.escape)) {
        out += next;
        this.at += 2;
      } else if (char === '$') out += this.dollar();
      else {
        out += char;
        this.at += 1;
      }
    }
    return out;
  }

  /** Up to the end, or to a `}` that belongs to an outer `${`, which is left there. */
  private parts(stop: '' | '}'): (string | Value)[] {
    const parts: (string | Value)[] = [];
    while (this.at < this.text.length) {
      const char = this.text[this.at] ?? '';
      if (char === stop) break;
      if (char === "'") parts.push(this.singleQuoted());
      else if (char === '"') parts.push(this.doubleQuoted());
      else if (char === '$') parts.push(new Value(this.dollar()));
      else if (char === this.escape) {
        // At the very end it stands for itself.
        parts.push(this.text[this.at + 1] ?? char);
        this.at += 2;
      } else {
        parts.push(char);
        this.at += 1;
      }
    }
    return parts;
  }

  private singleQuoted(): string {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) throw syntaxError('unexpected end of statement while looking for matching single-quote');
    const inner = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return inner;
  }

  private doubleQuoted(): string {
    let out = '';
    this.at += 1;
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) throw syntaxError('unexpected end of statement while looking for matching double-quote');
      if (char === '"') {
        this.at += 1;
        return out;
      }
      if (char === '$') {
        out += this.dollar();
        continue;
      }
      const next = this.text[this.at + 1];
      if (char === this.escape && next !== undefined && ['"', '$', this.escape].includes(next)) {
        out += next;
        this.at += 2;
      } else {
        out += char;
        this.at += 1;
      }
    }
  }

  private dollar(): string {
    this.at += 1;
    if (this.text[this.at] === '{') return this.braced();
    const name = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(this.text.slice(this.at))?.[0];
    if (name === undefined) return '$';
    this.at += name.length;
    return this.variables.get(name) ?? '';
  }

  private braced(): string {
    this.at += 1;
    const name = /^(?:[A-Za-z_]\w*|[0-9]+|[@*#?$!-])/.exec(this.text.slice(this.at))?.[0];
    if (name === undefined) throw syntaxError('bad substitution');
    this.at += name.length;
    const value = this.variables.get(name);
    const operator = /^(?::[-+?]|[-+?}]|##?|%%?|\/\/?)/.exec(this.text.slice(this.at))?.[0];
    if (operator === undefined) {
      const rest = this.text.slice(this.at, this.at + 1);
      throw syntaxError(rest === '' ? "missing ':' in substitution" : `unsupported modifier (${rest}) in substitution`);
    }
    this.at += operator.length;
    if (operator === '}') return value ?? '';
    const word = this.parts('}').join('');
    if (this.text[this.at] !== '}') throw syntaxError('unexpected end of statement while looking for matching }');
    this.at += 1;
    return substitute(name, value, operator, word);
  }
}

function substitute(name: string, value: string | undefined, operator: string, word: string): string {
  const isMissing = operator.startsWith(':') ? (value ?? '') === '' : value === undefined;
  switch (operator.at(-1)) {
    case '-':
      return isMissing ? word : (value ?? '');
    case '+':
      return isMissing ? '' : word;
    case '?':
      if (isMissing) throw syntaxError(`${name}: ${word === '' ? 'is not allowed to be unset' : word}`);
      return value ?? '';
    case '#':
      return (value ?? '').replace(patternOf(word, operator === '##', 'start'), '');
    case '%':
      return withoutEnd(value ?? '', word, operator === '%%');
    default: {
      const [pattern = '', replacement = ''] = word.split('/', 2);
      return (value ?? '').replace(patternOf(pattern, true, 'anywhere', operator === '//'), () => replacement);
    }
  }
}

/** Tries every end: a regular expression alone would always begin at the first place that fits. */
function withoutEnd(value: string, pattern: string, longest: boolean): string {
  const whole = patternOf(pattern, true, 'whole');
  const starts = Array.from({ length: value.length + 1 }, (_, index) => index);
  if (!longest) starts.reverse();
  const start = starts.find((index) => whole.test(value.slice(index)));
  return start === undefined ? value : value.slice(0, start);
}

/** A shell's pattern: `*` and `?`. */
function patternOf(pattern: string, greedy: boolean, where: 'start' | 'whole' | 'anywhere', all = false): RegExp {
  const body = pattern.replaceAll(/[*?]|[.+^${}()|[\]\\/]/g, (char) => {
    if (char === '*') return greedy ? '[\\s\\S]*' : '[\\s\\S]*?';
    return char === '?' ? '[\\s\\S]' : `\\${char}`;
  });
  return new RegExp(`${where === 'anywhere' ? '' : '^'}${body}${where === 'whole' ? '$' : ''}`, all ? 'g' : '');
}

function syntaxError(message: string): EngineError {
  return new EngineError('invalid-parameter', message);
}
