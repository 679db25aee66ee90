/** The body of `POST /volumes/create`. */
import { z } from 'zod';
import type { CreateVolumeRequest } from '../use-cases/manage-volumes.ts';

export const createVolumeBody = z
  .object({
    Name: z.string().nullish(),
    Driver: z.string().nullish(),
    DriverOpts: z.record(z.string(), z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
  })
  .transform((body): CreateVolumeRequest => ({
    name: body.Name ?? '',
    driver: body.Driver ?? '',
    labels: body.Labels ?? {},
    options: body.DriverOpts ?? {},
  }));
