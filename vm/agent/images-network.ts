/** What the seed says about reaching registries: the way to the user's loopback, a proxy, certificates. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { errorText, log } from './log.ts';
import type { RegistryNetwork } from './registry/network.ts';

const seedSchema = z.object({
  hostGateway: z.string().optional(),
  insecureRegistries: z.array(z.string()).optional(),
  registryMirrors: z.array(z.string()).optional(),
  proxy: z.object({ http: z.string().optional(), https: z.string().optional(), no: z.string().optional() }).optional(),
});

/** Without a readable seed (outside the VM): loopback is this machine's own, and there is no proxy. */
export async function readRegistryNetwork(seedDir: string): Promise<RegistryNetwork> {
  const seed = await readSeed(path.join(seedDir, 'seed.json'));
  const { http, https, no } = seed.proxy ?? {};
  return {
    hostGateway: seed.hostGateway,
    insecure: seed.insecureRegistries ?? [],
    mirrors: seed.registryMirrors ?? [],
    extraCa: await readCertificates(path.join(seedDir, 'ca')),
    proxy: {
      ...(http === undefined ? {} : { http }),
      ...(https === undefined ? {} : { https }),
      ...(no === undefined ? {} : { no }),
    },
  };
}

async function readSeed(file: string): Promise<z.infer<typeof seedSchema>> {
  try {
    return seedSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    log.warn(`registries are reached without the seed's help: ${errorText(error)}`);
    return {};
  }
}

async function readCertificates(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return []; // the seed need not have any
  }
  const files = names.filter((name) => /\.(pem|crt)$/.test(name)).sort();
  return Promise.all(files.map((name) => readFile(path.join(folder, name), 'utf8')));
}
