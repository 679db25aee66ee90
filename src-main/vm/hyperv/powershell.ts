/** Building and running PowerShell: every value enters a script as a quoted literal or a checked number. */
import { spawn } from 'node:child_process';
import { AppError } from '../../contract/errors.ts';

/**
 * A single-quoted PowerShell literal, in which nothing is expanded. PowerShell takes four typographic quotation marks
 * for single quotes too (about_Quoting_Rules), so they are doubled as well.
 */
export function quote(text: string): string {
  if (text.includes('\0')) throw new AppError('invalid-input', 'run PowerShell: a value holds a zero byte');
  return `'${text.replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

/** A whole number as a literal. */
export function whole(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new AppError('invalid-input', `run PowerShell: ${value} is not a whole number`);
  }
  return String(value);
}

/** Stops at the first error, prints plain UTF-8, and says an error's message alone on the error output. */
function wrap(body: string): string {
  return [
    "$ErrorActionPreference = 'Stop'",
    "$ProgressPreference = 'SilentlyContinue'",
    '[Console]::OutputEncoding = [System.Text.UTF8Encoding]::new($false)',
    'try {',
    ...body.split('\n').map((line) => `  ${line}`),
    '} catch {',
    '  [Console]::Error.WriteLine($_.Exception.Message)',
    '  exit 1',
    '}',
  ].join('\n');
}

/** The arguments of powershell.exe for a script; encoded, it passes no other parser on its way. */
export function powershellArguments(script: string): readonly string[] {
  const encoded = Buffer.from(wrap(script), 'utf16le').toString('base64');
  return ['-NoLogo', '-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-EncodedCommand', encoded];
}

/** Runs a script and resolves with what it printed. `attempt` heads the error. */
export type PowerShell = (attempt: string, script: string, signal?: AbortSignal) => Promise<string>;

const maxOutputBytes = 4 * 1024 * 1024;
const deadlineMs = 120_000;

/** @param program `powershell.exe`; another one in tests */
export function createPowerShell(program = 'powershell.exe', leading: readonly string[] = []): PowerShell {
  return (attempt, script, signal) =>
    new Promise((resolve, reject) => {
      const limit = AbortSignal.timeout(deadlineMs);
      const child = spawn(program, [...leading, ...powershellArguments(script)], {
        stdio: ['ignore', 'pipe', 'pipe'],
        windowsHide: true,
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => {
          output[name] += text;
          if (output[name].length > maxOutputBytes) child.kill();
        });
      }
      child.once('error', (error) => reject(failure(attempt, error, signal)));
      child.once('close', (code) => {
        if (code === 0) resolve(output.stdout);
        else reject(scriptError(attempt, output.stderr.trim() || `powershell ended with code ${code ?? 'none'}`));
      });
    });
}

function failure(attempt: string, error: Error, signal: AbortSignal | undefined): AppError {
  if (signal?.aborted) return new AppError('cancelled', `${attempt}: cancelled`, { cause: error });
  if (error.name === 'AbortError') {
    return new AppError('deadline', `${attempt}: PowerShell did not end within ${deadlineMs / 1000} s`, {
      cause: error,
    });
  }
  const hint = 'Windows PowerShell must be on the PATH.';
  return new AppError('vm-failed', `${attempt}: ${error.message}`, { cause: error, hint });
}

/** What PowerShell said, with what to do where that is known. */
export function scriptError(attempt: string, said: string): AppError {
  if (/is not recognized as (the|a) name of a cmdlet|CommandNotFoundException/i.test(said)) {
    const hint =
      'Turn on the Windows feature “Hyper-V” (Hyper-V Platform and Hyper-V Module for PowerShell), then restart.';
    return new AppError('unsupported', `${attempt}: Hyper-V is not installed`, { hint });
  }
  if (/do not have (the )?required permission|access is denied|UnauthorizedAccess/i.test(said)) {
    const hint = 'Add your account to the group “Hyper-V Administrators”, then sign in again.';
    return new AppError('unsupported', `${attempt}: ${said}`, { hint });
  }
  if (/not enough memory|insufficient.*memory/i.test(said)) {
    return new AppError('vm-failed', `${attempt}: ${said}`, {
      hint: 'Close other programs, or give the VM less memory.',
    });
  }
  return new AppError('vm-failed', `${attempt}: ${said}`);
}
