// @ts-check
/** Whether the Electron app can run here, and if not, why. Electron's program is not in the npm registry. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './steps.mjs';

const installDeadlineMs = 120_000;

/**
 * Tries to have Electron's program: looks for it, else fetches it within two minutes.
 * @returns {Promise<{ program: string } | { reason: string }>}
 */
export async function findElectron() {
  const obstacle = obstacleTo(process.platform, process.env, process.getuid?.());
  if (obstacle) return { reason: obstacle };
  const present = installedProgram();
  if (present) return { program: present };
  process.stderr.write('• Fetching Electron’s program (it is not in the npm registry; at most 2 minutes)\n');
  const failure = await install();
  const program = installedProgram();
  if (program) return { program };
  return { reason: `Electron’s program could not be fetched: ${failure ?? 'its installer left none behind'}` };
}

/**
 * What stands in the way before anything is fetched.
 * @param {NodeJS.Platform} platform
 * @param {NodeJS.ProcessEnv} env
 * @param {number | undefined} userId
 * @returns {string | undefined}
 */
export function obstacleTo(platform, env, userId) {
  if (platform !== 'linux') return undefined;
  if (!env['DISPLAY'] && !env['WAYLAND_DISPLAY'])
    return 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)';
  if (userId === 0) return 'Chromium’s sandbox, which the app does not give up, does not work for root';
  return undefined;
}

/** @returns {string | undefined} */
function installedProgram() {
  const folder = path.join(root, 'node_modules', 'electron');
  const pathFile = path.join(folder, 'path.txt');
  if (!existsSync(pathFile)) return undefined;
  const program = path.join(folder, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(program) ? program : undefined;
}

/** @returns {Promise<string | undefined>} why it failed */
function install() {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(root, 'node_modules', 'electron', 'install.js')], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    let late = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-4000)));
    }
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, installDeadlineMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve(error.message);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (late) resolve('it took longer than 2 minutes');
      else resolve(code === 0 ? undefined : (reasonIn(said) ?? `its installer ended with code ${code}`));
    });
  });
}

/**
 * The line of an installer's output that names the error.
 * @param {string} output
 * @returns {string | undefined}
 */
export function reasonIn(output) {
  const lines = output.split('\n').map((line) => line.trim());
  const named =
    lines.find((line) => /^(\w*Error\b|Error:)/.test(line)) ?? lines.find((line) => /\bE[A-Z]{4,}\b/.test(line));
  return named?.slice(0, 300);
}
