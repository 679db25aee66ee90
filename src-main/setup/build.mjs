// @ts-check
/**
 * `npm run build`: bundles the agent, the host, the shells and the renderer with esbuild into dist/, and compiles native/.
 * `npm run build -- agent native` builds only those parts.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ensureDependencies } from './dependencies.mjs';
import { root, run, runMain, step } from './steps.mjs';

/** @param {string} name */
const exists = (name) => existsSync(path.join(root, name));

const parts = {
  /** The guest's agent: one file, for the image's Node 24. */
  async agent() {
    if (!exists('vm/agent/main.ts')) return;
    const { build } = await import('esbuild');
    await build({
      entryPoints: ['vm/agent/main.ts'],
      absWorkingDir: root,
      outfile: 'dist/agent/agent.js',
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'cjs',
      minify: true,
      keepNames: true,
      legalComments: 'none',
      external: ['*.node', 'cpu-features'],
      loader: { '.json': 'json' },
      logLevel: 'warning',
    });
  },
  /** C programs and the addon, for this machine's architecture; see native/README.md. */
  async native() {
    if (exists('native/Makefile')) await run('make', ['-C', 'native', '--no-print-directory', '-s', '-j2']);
  },
  /** The host's command line and web shell (Node 20) and the Electron shell with its preload. */
  async host() {
    const { build } = await import('esbuild');
    /** @type {import('esbuild').BuildOptions} */
    const common = {
      absWorkingDir: root,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      legalComments: 'none',
      sourcemap: 'linked',
      external: ['electron', '*.node', 'cpu-features'],
      logLevel: 'warning',
    };
    if (exists('src-main/cli/main.ts')) {
      await build({ ...common, entryPoints: ['src-main/cli/main.ts'], outfile: 'dist/cli/main.cjs' });
    }
    if (exists('src-main/electron/main.ts')) {
      await build({
        ...common,
        entryPoints: ['src-main/electron/main.ts'],
        outfile: 'dist/electron/main.cjs',
        target: 'node22',
      });
      await build({
        ...common,
        entryPoints: ['src-main/electron/preload.ts'],
        outfile: 'dist/electron/preload.cjs',
        target: 'node22',
      });
      for (const name of ['icon.png', 'tray.png', 'tray@2x.png', 'trayTemplate.png', 'trayTemplate@2x.png']) {
        copyFileSync(path.join(root, 'src-main/electron/assets', name), path.join(root, 'dist/electron', name));
      }
    }
  },
  /** The window: hashed chunks, split by screen. */
  async renderer() {
    if (!exists('src-renderer/main.tsx')) return;
    const { build } = await import('esbuild');
    mkdirSync(path.join(root, 'dist/renderer'), { recursive: true });
    const { metafile } = await build({
      metafile: true,
      // Workers are fetched by their names, so these are fixed.
      entryPoints: {
        main: 'src-renderer/main.tsx',
        'pack-worker': 'src-renderer/build-context/pack-worker.ts',
        'log-worker': 'src-renderer/logs/log-worker.ts',
      },
      absWorkingDir: root,
      outdir: 'dist/renderer',
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'browser',
      target: ['chrome128'],
      minify: true,
      legalComments: 'none',
      jsx: 'automatic',
      define: { 'process.env.NODE_ENV': '"production"' },
      loader: { '.woff2': 'file', '.svg': 'file', '.png': 'file' },
      assetNames: 'assets/[name]-[hash]',
      chunkNames: 'chunks/[name]-[hash]',
      logLevel: 'warning',
    });
    // Those of earlier builds go when their followers are there: a window that is open may still ask for one until then.
    for (const name of readdirSync(path.join(root, 'dist/renderer/chunks'))) {
      if (!(`dist/renderer/chunks/${name}` in metafile.outputs)) rmSync(path.join(root, 'dist/renderer/chunks', name));
    }
    for (const name of readdirSync(path.join(root, 'src-renderer/public'))) {
      copyFileSync(path.join(root, 'src-renderer/public', name), path.join(root, 'dist/renderer', name));
    }
  },
};

await runMain(async () => {
  await ensureDependencies();
  const wanted = process.argv.slice(2).filter((name) => !name.startsWith('-'));
  for (const [name, build] of Object.entries(parts)) {
    if (wanted.length === 0 || wanted.includes(name)) await step(`Building ${name}`, build);
  }
});
