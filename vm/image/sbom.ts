/** The image's bill of materials, as SPDX 2.3 JSON. Pure: the same parts give the same text. */
import type { DebianPackage } from './debian.ts';

/** All that went into an image. */
export interface Materials {
  readonly arch: string;
  readonly created: string;
  readonly debian: readonly DebianPackage[];
  readonly npm: readonly { readonly name: string; readonly version: string; readonly integrity: string }[];
  /** Files of ours: path in the image -> SHA-256. */
  readonly own: ReadonlyMap<string, string>;
}

export function writeSbom(materials: Materials): string {
  const packages = [
    ...materials.debian.map(debianEntry),
    ...materials.npm.map(npmEntry),
    ...[...materials.own].map(([name, sha256]) => entry(`wherry-${name}`, name, '', [checksum('SHA256', sha256)])),
  ];
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `wherry-guest-${materials.arch}`,
    documentNamespace: `urn:wherry:guest:${materials.arch}:${materials.created}`,
    creationInfo: { created: materials.created, creators: ['Tool: wherry-image'] },
    packages,
    relationships: packages.map((one) => ({
      spdxElementId: 'SPDXRef-DOCUMENT',
      relationshipType: 'DESCRIBES',
      relatedSpdxElement: one.SPDXID,
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

interface Checksum {
  readonly algorithm: string;
  readonly checksumValue: string;
}

interface Entry {
  readonly SPDXID: string;
  readonly [field: string]: unknown;
}

function checksum(algorithm: string, checksumValue: string): Checksum {
  return { algorithm, checksumValue };
}

function entry(id: string, name: string, version: string, checksums: readonly Checksum[], purl?: string): Entry {
  return {
    SPDXID: `SPDXRef-${id.replaceAll(/[^A-Za-z0-9.-]/g, '-')}`,
    name,
    ...(version === '' ? {} : { versionInfo: version }),
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    checksums,
    ...(purl === undefined
      ? {}
      : {
          externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
        }),
  };
}

function debianEntry(one: DebianPackage): Entry {
  const version = encodeURIComponent(one.version);
  const purl = `pkg:deb/debian/${one.name.replaceAll('+', '%2B')}@${version}?arch=${one.architecture}`;
  const id = `deb-${one.name}-${one.architecture}`;
  return entry(id, one.name, one.version, [checksum('SHA256', one.sha256)], purl);
}

function npmEntry(one: Materials['npm'][number]): Entry {
  const [algorithm = '', digest = ''] = one.integrity.split('-', 2);
  const value = Buffer.from(digest, 'base64').toString('hex');
  const purl = `pkg:npm/${one.name}@${one.version}`;
  return entry(`npm-${one.name}`, one.name, one.version, [checksum(algorithm.toUpperCase(), value)], purl);
}
