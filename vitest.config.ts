import { defineConfig } from 'vitest/config';
import { SkipReporter } from './libs/testing/src/skip-reporter.ts';

/** Where .ci/run wants the figures. */
const report = process.env.TOCSIN_TEST_REPORT;

/** Tests of one kind, `workers` files at a time, after those of the kinds before it. */
const kind = (order: number, ending: string, workers: number) => ({
  extends: true as const,
  test: {
    name: ending,
    include: [`**/*.${ending}.ts`],
    maxWorkers: workers,
    sequence: { groupOrder: order },
  },
});

export default defineConfig({
  test: {
    // A cluster of servers elects by timers, and an end-to-end test runs all of Tocsin: on two cores, one at a time is all
    // that leaves their promises room.
    projects: [kind(0, 'spec', 2), kind(1, 'int-spec', 2), kind(2, 'cluster-spec', 1), kind(3, 'e2e-spec', 1)],
    exclude: ['**/node_modules/**', '**/dist/**', '**/.tocsin/**'],
    globalSetup: ['libs/testing/src/global-setup.ts'],
    setupFiles: ['libs/testing/src/setup-file.ts'],
    reporters: report
      ? ['default', new SkipReporter(), ['json', { outputFile: report }]]
      : ['default', new SkipReporter()],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
  },
});
