/** What is wrong with a container's name, as Docker has it; an empty one is left to the engine. */
export function checkContainerName(name: string): string | undefined {
  if (name === '') return undefined;
  if (name.length > 128) return 'At most 128 characters.';
  if (name.length < 2) return 'At least two characters.';
  if (!/^[a-zA-Z0-9]/.test(name)) return 'Start with a letter or a digit.';
  return /^[a-zA-Z0-9_.-]+$/.test(name) ? undefined : 'Only letters, digits and . _ - are allowed.';
}
