/** Puts variables into those words of an instruction that take them. */
import { expand, expandToWords } from './expansion.ts';
import type { Variables } from './expansion.ts';
import type { Action } from './instruction.ts';

/** RUN, CMD, ENTRYPOINT, SHELL, HEALTHCHECK and ONBUILD are the shell's own affair; FROM and ARG their caller's. */
export function expandInstruction<Given extends Action>(action: Given, variables: Variables, escape: string): Given {
  const one = (word: string): string => expand(word, variables, escape);
  switch (action.kind) {
    case 'env':
    case 'label':
      return { ...action, pairs: action.pairs.map(({ name, value }) => ({ name: one(name), value: one(value) })) };
    case 'copy':
      return {
        ...action,
        sources: action.sources.map((word) => (word.startsWith('<<') ? word : one(word))),
        destination: one(action.destination),
        chown: one(action.chown),
        chmod: one(action.chmod),
      };
    case 'expose':
      return { ...action, words: action.words.flatMap((word) => expandToWords(word, variables, escape)) };
    case 'volume':
      return { ...action, words: action.words.map(one) };
    case 'user':
    case 'workdir':
    case 'stopsignal':
      return { ...action, value: one(action.value) };
    case 'from':
    case 'arg':
    case 'run':
    case 'cmd':
    case 'entrypoint':
    case 'shell':
    case 'healthcheck':
    case 'onbuild':
    case 'maintainer':
      return action;
  }
}
