// @ts-check
/**
 * `npm start`: sets everything up, then opens the app; or the same window in the browser, saying why.
 * Flags: `--web` (the browser), `--no-open` (only print the address), `--port N` (0: any free one).
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { ensureDependencies } from './dependencies.mjs';
import { findElectron } from './electron.mjs';
import { freshness } from './stale.mjs';
import { root, run, runMain, StepError } from './steps.mjs';
import { ensureSystemPackages } from './system-packages.mjs';

const usage = 'npm start -- [--web] [--no-open] [--port N]';
const guestArch = process.arch === 'arm64' ? 'arm64' : 'amd64';

await runMain(async () => {
  const flags = parseFlags(process.argv.slice(2));
  await ensureDependencies();
  await ensureSystemPackages(['run']);
  await ensureBuilt();
  const reason = flags.web ? undefined : await startElectron();
  if (reason === null) return;
  if (reason !== undefined) process.stderr.write(`• Opening the window in the browser instead: ${reason}\n`);
  const serve = ['serve', '--port', String(flags.port), ...(flags.open ? [] : ['--no-open'])];
  await runInForeground(process.execPath, [path.join(root, 'dist/cli/main.cjs'), ...serve]);
});

/**
 * @param {readonly string[]} args
 * @returns {{ web: boolean, open: boolean, port: number }}
 */
function parseFlags(args) {
  const flags = { web: false, open: true, port: 0 };
  for (let at = 0; at < args.length; at += 1) {
    const [name, inline] = (args[at] ?? '').split('=', 2);
    if (name === '--web') flags.web = true;
    else if (name === '--no-open') flags.web = !(flags.open = false);
    else if (name === '--port') {
      const value = inline ?? args[(at += 1)] ?? '';
      flags.port = Number(value);
      flags.web = true;
      if (!/^\d+$/.test(value) || flags.port > 65_535) throw new StepError(`--port ${value}: not a port number`, usage);
    } else throw new StepError(`${args[at]}: no such flag`, usage);
  }
  return flags;
}

/** Programs and guest image, each only when something in them changed. */
async function ensureBuilt() {
  const programs = freshness('programs', {
    inputs: ['package-lock.json', 'src-main', 'src-renderer', 'vm', 'native'],
    outputs: ['dist/agent/agent.js', 'dist/cli/main.cjs', 'dist/renderer/index.html', `build/native/${guestArch}`],
  });
  const image = freshness('guest-image', {
    inputs: ['package-lock.json', 'src-main/setup/build.mjs', 'vm', 'native'],
    outputs: [`dist/guest/${guestArch}/manifest.json`],
  });
  if (programs.stale || image.stale) await ensureSystemPackages(['build']);
  if (programs.stale) {
    await run(process.execPath, [path.join(root, 'src-main/setup/build.mjs')], { hint: 'mend what is named above' });
    programs.done();
  }
  if (image.stale) {
    await run(process.execPath, [path.join(root, 'src-main/setup/image.mjs')], {
      hint: 'mend what is named above; npm run image tries again',
    });
    image.done();
  }
}

/** @returns {Promise<string | null>} why Electron cannot run, or null when it ran to its end */
async function startElectron() {
  const found = await findElectron();
  if ('reason' in found) return found.reason;
  process.stderr.write('• Opening the app\n');
  await runInForeground(found.program, [root]);
  return null;
}

/**
 * Runs a program with this terminal until it ends, and ends as it did.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
function runInForeground(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    /** @type {NodeJS.Signals[]} */
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    // A Ctrl-C at the terminal reaches the child by itself; a signal sent to this process alone would not.
    const pass = (/** @type {NodeJS.Signals} */ signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of signals) process.on(signal, pass);
    const finish = () => {
      for (const signal of signals) process.off(signal, pass);
    };
    child.on('error', (error) => {
      finish();
      reject(new StepError(`${command}: ${error.message}`, 'run npm run build, then this again'));
    });
    child.on('close', (code, signal) => {
      finish();
      process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
      resolve();
    });
  });
}
