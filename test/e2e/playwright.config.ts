import { defineConfig } from '@playwright/test';

/** Two projects, run one after the other: there is one VM at a time. No retries: a flaky test is a defect. */
export default defineConfig({
  testDir: '.',
  outputDir: '../../test-results',
  workers: 2,
  projects: [
    { name: 'engine', testMatch: '*.spec.ts', testIgnore: 'window-*.spec.ts', workers: 1 },
    { name: 'window', testMatch: 'window-*.spec.ts' },
  ],
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    viewport: { width: 1280, height: 800 },
    actionTimeout: 30_000,
    launchOptions: {
      executablePath: process.env['WHERRY_CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
