/**
 * The commands, one shell line each. Every section starts with nothing but the image `busybox:latest` in an empty working
 * folder, and a line may build on what the lines before it left. `R` is the registry's host and port. The engines share one
 * network, so each has an octet `S`, a prefix `P` of port numbers and a letter `E` of its own.
 */
import { archives } from './lists/archives.ts';
import { build } from './lists/build.ts';
import { create } from './lists/create.ts';
import { daemon } from './lists/daemon.ts';
import { events } from './lists/events.ts';
import { files } from './lists/files.ts';
import { health } from './lists/health.ts';
import { images } from './lists/images.ts';
import { missing } from './lists/missing.ts';
import { networks } from './lists/networks.ts';
import { refused } from './lists/refused.ts';
import { run } from './lists/run.ts';
import { system } from './lists/system.ts';
import { volumes } from './lists/volumes.ts';

export const sections: Readonly<Record<string, readonly string[]>> = {
  images,
  archives,
  build,
  create,
  missing,
  refused,
  run,
  daemon,
  files,
  health,
  volumes,
  networks,
  events,
  system,
};
