/** What a user types as an image's name. */
import { AppError } from '../contract/errors.ts';

export interface Reference {
  readonly name: string;
  readonly tag: string;
  /** As the user knows it. */
  readonly shown: string;
}

/**
 * Cuts what the user typed into the API's `fromImage` and `tag`; without a tag or digest `latest` is meant, as the
 * docker command has it.
 */
export function parseReference(input: string, verb = 'pull'): Reference {
  const text = input.trim();
  const invalid = (reason: string) =>
    new AppError('invalid-input', `${verb} ${text || 'an image'}: ${reason}`, {
      hint: 'Names look like nginx, debian:12 or registry.example:5000/team/app:1.0.',
    });
  if (text === '') throw invalid('no name was given');
  if (/[\s\p{Cc}]/u.test(text) || text.includes('://')) throw invalid('this is no image name');
  const at = text.indexOf('@');
  if (at > 0) return { name: text.slice(0, at).replace(/:[^:/]*$/, ''), tag: text.slice(at + 1), shown: text };
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1);
  if (colon === -1) return { name: text, tag: 'latest', shown: `${text}:latest` };
  if (colon === text.length - 1) throw invalid('the tag after the colon is missing');
  return { name: text.slice(0, colon), tag: text.slice(colon + 1), shown: text };
}
