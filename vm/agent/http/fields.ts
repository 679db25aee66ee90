/** Fields of request bodies as clients of many ages send them: nulls and missing ones become defaults. */
import { z } from 'zod';

export const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
export const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
export const integer = z
  .number()
  .int()
  .nullish()
  .transform((value) => value ?? 0);
export const list = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
export const listOrNull = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? null);
export const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
export const set = z
  .record(
    z.string(),
    z
      .object({})
      .nullish()
      .transform(() => ({})),
  )
  .nullish();
