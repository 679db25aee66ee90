/** The image that comes with Wherry, so that the first run works without a network. */
import { LayoutSource } from '../registry/layout.ts';
import { parseReference, withDefaultTag } from '../registry/reference.ts';
import { bringImage } from './pull-image.ts';
import type { ImageParts } from './image-parts.ts';

/** Imports every named image of the layout. Returns their names; none when the store holds images or there is no layout. */
export async function importStarter(parts: ImageParts, folder: string, signal: AbortSignal): Promise<string[]> {
  if (parts.records.all().length > 0) return [];
  const source = new LayoutSource(folder);
  const imported: string[] = [];
  for (const { name } of await source.names()) {
    const reference = withDefaultTag(parseReference(name));
    await bringImage(
      parts,
      { source, reference, sourceName: name, platform: undefined, report: () => undefined },
      signal,
    );
    imported.push(name);
  }
  return imported;
}
