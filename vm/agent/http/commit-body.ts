/** The body of `POST /commit`: settings of the image, all of them optional. */
import { z } from 'zod';
import type { CommitRequest } from '../use-cases/commit-container.ts';

const strings = z.array(z.string()).nullish();
const set = z
  .record(
    z.string(),
    z
      .object({})
      .nullish()
      .transform(() => ({})),
  )
  .nullish();

/** What is empty or missing is the container's. */
export const commitBody = z
  .object({
    User: z.string().nullish(),
    ExposedPorts: set,
    Env: strings,
    Entrypoint: strings,
    Cmd: strings,
    Volumes: set,
    WorkingDir: z.string().nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
    StopSignal: z.string().nullish(),
    OnBuild: strings,
  })
  .transform((body): CommitRequest['settings'] => {
    const given = Object.entries(body).filter(([, value]) => value !== null && value !== undefined && value !== '');
    return Object.fromEntries(given);
  });
