import { EngineError } from '../../contract/errors.ts';
import type { Parts } from './parts.ts';

/** Ids of the images a name in an `ancestor` filter stands for; none when there is no such image. */
export async function ancestryOf(parts: Pick<Parts, 'images'>, name: string): Promise<Set<string>> {
  try {
    return new Set([(await parts.images.resolve(name)).id]);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'not-found') return new Set();
    throw error;
  }
}
