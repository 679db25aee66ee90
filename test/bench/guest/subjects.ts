/** What every row needs: the engines it compares, the images they know, and the line that tells a result. */
import type { Unit } from '../report.ts';
import type { Engines } from './engines.ts';
import type { EngineSocket } from './http.ts';

/** One image's name, as each engine reaches the registry. */
export interface Images {
  readonly wherry: string;
  readonly docker: string;
}

export function pairs(engines: Engines, image: Images): ['wherry' | 'docker.io', EngineSocket, string][] {
  return [
    ['wherry', engines.wherry, image.wherry],
    ['docker.io', engines.docker, image.docker],
  ];
}

/** Prints one result; the host reads the lines. */
export function report(row: string, subject: string, value: number, unit: Unit): void {
  process.stdout.write(`BENCH ${JSON.stringify({ row, subject, value, unit })}\n`);
}
