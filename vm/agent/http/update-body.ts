/** The body of `POST /containers/:id/update`. The CLI sends zeroes for what is not to change. */
import { z } from 'zod';
import type { UpdateRequest } from '../use-cases/update-container.ts';

const integer = z.number().int().nullish();
const text = z.string().nullish();

export const updateContainerBody = z
  .object({
    BlkioWeight: integer,
    CpuPeriod: integer,
    CpuQuota: integer,
    CpuShares: integer,
    CpusetCpus: text,
    CpusetMems: text,
    Memory: integer,
    MemoryReservation: integer,
    MemorySwap: integer,
    NanoCpus: integer,
    PidsLimit: integer,
    RestartPolicy: z.object({ Name: z.string(), MaximumRetryCount: z.number().int().default(0) }).nullish(),
  })
  .transform(
    (body) =>
      Object.fromEntries(
        Object.entries(body).filter(([, value]) => value != null && value !== 0 && value !== ''),
      ) as UpdateRequest,
  );
