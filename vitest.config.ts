import { defineConfig } from 'vitest/config';
import { SkipReporter } from './libs/testing/src/skip-reporter.ts';

/** Where .ci/run wants the figures. */
const report = process.env.TOCSIN_TEST_REPORT;

export default defineConfig({
  test: {
    include: ['**/*.spec.ts', '**/*.int-spec.ts', '**/*.e2e-spec.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/.tocsin/**'],
    globalSetup: ['libs/testing/src/global-setup.ts'],
    setupFiles: ['libs/testing/src/setup-file.ts'],
    reporters: report
      ? ['default', new SkipReporter(), ['json', { outputFile: report }]]
      : ['default', new SkipReporter()],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});
