/** `GET /distribution/{name}/json`: what a registry has under a name, without pulling it. */
import type { Credentials } from '../registry/auth.ts';
import { parseConfig, parseManifest } from '../registry/manifest.ts';
import { familiarString, parseReference, withDefaultTag } from '../registry/reference.ts';
import type { ImageParts } from './image-parts.ts';
import { pullFailure } from './pull-image.ts';

export async function inspectDistribution(
  parts: ImageParts,
  text: string,
  credentials: Credentials | undefined,
  signal: AbortSignal,
): Promise<object> {
  const reference = withDefaultTag(parseReference(text));
  const name = familiarString(reference);
  const repository = parts.connect(reference, credentials);
  try {
    const { bytes, digest, mediaType } = await repository.manifest(
      reference.digest ?? reference.tag ?? 'latest',
      signal,
    );
    const parsed = parseManifest(bytes, mediaType, name);
    const said = JSON.parse(bytes.toString('utf8')) as { mediaType?: string };
    return {
      Descriptor: { mediaType: said.mediaType ?? mediaType ?? '', digest, size: bytes.length },
      Platforms:
        parsed.kind === 'index'
          ? parsed.index.manifests.flatMap(({ platform }) => (platform === undefined ? [] : [platform]))
          : [platformOf(parseConfig(await repository.blob(parsed.manifest.config, signal), name))],
    };
  } catch (error) {
    throw signal.aborted ? signal.reason : pullFailure(error, reference);
  }
}

function platformOf(config: ReturnType<typeof parseConfig>): object {
  const { architecture, os, variant } = config;
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}
