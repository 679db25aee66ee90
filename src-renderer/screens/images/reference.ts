/** Image references as typed: what can be told wrong before asking a registry. */

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const domain = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?';
const pattern = new RegExp(
  `^(?:${domain}/)?${component}(?:/${component})*(?::[\\w][\\w.-]{0,127})?(?:@sha256:[a-f0-9]{64})?$`,
);

/** What is wrong with a reference, or undefined. */
export function checkReference(reference: string): string | undefined {
  if (reference === '') return 'Type the name of an image.';
  if (/\s/.test(reference)) return 'A name has no spaces.';
  if (/^https?:\/\//.test(reference)) return 'Leave out http:// – only the registry’s name goes in front.';
  if (pattern.test(reference)) return undefined;
  const name = reference.split('@')[0]?.split('/').at(-1)?.split(':')[0] ?? '';
  if (/[A-Z]/.test(name)) return 'Names of images are in small letters.';
  return 'This is not a name of an image: use letters, digits and . _ - / with an optional :tag.';
}

/** The registry that a name says, as a user knows it: without one it is Docker Hub. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'Docker Hub';
}
