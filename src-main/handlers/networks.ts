/** Networks: inspect. */
import { z } from 'zod';
import { segment, type EngineClient } from '../engine/client.ts';
import type { CallHandler } from './handlers.ts';

export class NetworkHandlers {
  readonly #engine: EngineClient;

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  readonly inspect: CallHandler<'networks.inspect'> = async ({ id }, signal) => ({
    raw: await this.#engine.json({ attempt: `inspect ${id}`, path: `/networks/${segment(id)}`, signal }, z.unknown()),
  });
}
