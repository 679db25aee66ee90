/** Runs Wherry's own command line, and the stock docker CLI against its socket, in a WHERRY_HOME of its own. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..', '..');

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and gives what it printed; never throws for an exit code. */
export function runProgram(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 120_000,
      killSignal: 'SIGKILL',
    });
    collect(child).then(resolve, reject);
    child.stdin.on('error', () => undefined); // The program may end without reading its input.
    child.stdin.end(options.input ?? '');
  });
}

/** The command succeeded; gives its trimmed output. */
export function ok(ended: Ended): string {
  assert.equal(ended.code, 0, `${ended.stderr}\n${ended.stdout}`);
  return ended.stdout.trim();
}

/** Gathers a child's output until it ends. */
export async function collect(child: ChildProcess): Promise<Ended> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (value, signal) => {
      resolve(value ?? (signal === null ? 255 : 128 + os.constants.signals[signal]));
    });
  });
  return { code, stdout: Buffer.concat(stdout).toString('utf8'), stderr: Buffer.concat(stderr).toString('utf8') };
}

/** A throw-away WHERRY_HOME; disposing stops what runs in it and removes it. */
export class WherryHome implements AsyncDisposable {
  readonly path: string;

  private constructor(home: string) {
    this.path = home;
  }

  static async create(): Promise<WherryHome> {
    return new WherryHome(await mkdtemp(path.join(os.tmpdir(), 'wherry-e2e-')));
  }

  get env(): Record<string, string> {
    // The context commands write there: never into the developer's own.
    return { WHERRY_HOME: this.path, DOCKER_CONFIG: path.join(this.path, 'docker-config') };
  }

  get dockerHost(): string {
    return `unix://${path.join(this.path, 'docker.sock')}`;
  }

  /** `npm run wherry -- <args>`, without npm's own output. */
  wherry(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return runProgram(process.execPath, [path.join(root, 'src-main/setup/wherry.mjs'), ...args], {
      timeoutMs: 240_000,
      ...options,
      env: { ...this.env, ...options.env },
    });
  }

  /** The stock docker CLI against this home's socket. */
  docker(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return runProgram('docker', ['-H', this.dockerHost, ...args], { ...options, env: this.dockerEnv(options.env) });
  }

  /** The same under a pseudo-terminal of 100 columns and 40 rows, with input typed into it. */
  dockerTty(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const command = ['docker', '-H', this.dockerHost, ...args].map(quote).join(' ');
    return runProgram('script', ['-qec', `stty rows 40 columns 100; ${command}`, '/dev/null'], {
      ...options,
      env: this.dockerEnv(options.env),
    });
  }

  /** A docker CLI left running: the caller ends it. */
  spawnDocker(args: readonly string[]): ChildProcess {
    return spawn('docker', ['-H', this.dockerHost, ...args], {
      env: { ...process.env, ...this.dockerEnv() },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  private dockerEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return { ...this.env, ...more };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = await this.wherry(['down']);
    await rm(this.path, { recursive: true, force: true });
    if (ended.code !== 0) throw new Error(`wherry down ended with ${ended.code}: ${ended.stderr}`);
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
