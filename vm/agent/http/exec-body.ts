/** Bodies of exec requests. */
import { z } from 'zod';
import type { ExecConfig } from '../use-cases/exec-store.ts';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const list = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const size = z
  .tuple([z.number().int(), z.number().int()])
  .nullish()
  .transform((value): [number, number] => value ?? [0, 0]);

export const createExecBody = z
  .object({
    Cmd: list,
    Env: list,
    User: text,
    WorkingDir: text,
    Tty: flag,
    Privileged: flag,
    AttachStdin: flag,
    AttachStdout: flag,
    AttachStderr: flag,
    DetachKeys: text,
    ConsoleSize: size,
    /** Wherry's own, beside Docker's: see `ExecConfig.toolbox`. Any other engine ignores it. */
    WherryToolbox: flag,
  })
  .transform((body): ExecConfig => ({
    command: body.Cmd,
    toolbox: body.WherryToolbox,
    env: body.Env,
    user: body.User,
    workingDir: body.WorkingDir,
    tty: body.Tty,
    privileged: body.Privileged,
    attachStdin: body.AttachStdin,
    attachStdout: body.AttachStdout,
    attachStderr: body.AttachStderr,
    detachKeys: body.DetachKeys,
    consoleSize: body.ConsoleSize,
  }));

export const startExecBody = z.object({ Detach: flag, Tty: flag });
