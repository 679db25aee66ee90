/** The stages of a Dockerfile, each begun by its `FROM`. */
import { EngineError } from '../../contract/errors.ts';
import { parseError } from './dockerfile.ts';
import type { Dockerfile } from './dockerfile.ts';
import { readInstruction } from './instruction.ts';
import type { Instruction } from './instruction.ts';

export interface Stage {
  readonly from: Extract<Instruction, { kind: 'from' }>;
  readonly steps: readonly Instruction[];
}

export interface Plan {
  /** `ARG`s before the first `FROM`. */
  readonly globalArgs: readonly Extract<Instruction, { kind: 'arg' }>[];
  readonly stages: readonly Stage[];
}

export function readStages(dockerfile: Dockerfile): Plan {
  const globalArgs: Extract<Instruction, { kind: 'arg' }>[] = [];
  const stages: { from: Extract<Instruction, { kind: 'from' }>; steps: Instruction[] }[] = [];
  for (const raw of dockerfile.instructions) {
    const instruction = readInstruction(raw, dockerfile.escape);
    const stage = stages.at(-1);
    if (instruction.kind === 'from') stages.push({ from: instruction, steps: [] });
    else if (stage !== undefined) stage.steps.push(instruction);
    else if (instruction.kind === 'arg') globalArgs.push(instruction);
    else throw parseError(raw.line, 'no build stage in current context');
  }
  if (stages.length === 0) throw new EngineError('invalid-parameter', 'no build stage in current context');
  return { globalArgs, stages };
}
