import type { Mutant } from './mutant.ts';

/** What has every task answered once, whatever becomes of the prober that took it. */
export const prober: readonly Mutant[] = [
  {
    mechanism: 'A check whose window has ended is not run',
    file: 'apps/prober/src/take.ts',
    find: "if (task.expiresAt <= by.now) return 'expired';",
    replace: '',
    test: 'apps/prober/src/take.spec.ts',
  },
  {
    mechanism: 'A window that can no longer run is answered as missed',
    file: 'apps/prober/src/prober.service.ts',
    find: "return this.publish(task, { outcome: 'missed' });",
    replace: 'return;',
    test: 'apps/prober/test/prober.int-spec.ts',
    title: 'a task whose window has ended is answered as missed',
  },
  {
    mechanism: 'A task that comes to a stopping prober is handed back',
    file: 'apps/prober/src/take.ts',
    find: "if (by.stopping) return 'stopping';",
    replace: '',
    test: 'apps/prober/src/take.spec.ts',
  },
  {
    mechanism: 'A check that still runs when its prober stops is handed back',
    file: 'apps/prober/src/checker.ts',
    find: 'setTimeout(() => this.stop.abort(), STOP_GRACE_MS).unref();',
    replace: '',
    test: 'apps/prober/test/prober.int-spec.ts',
    title: 'a stopping prober hands its running check back at once',
  },
  {
    mechanism: 'A frozen prober is not given again what it did not answer',
    file: 'libs/messaging/src/pull.ts',
    find: 'const EXPIRES_MS = 1_600;',
    replace: 'const EXPIRES_MS = 20_000;',
    test: 'apps/prober/test/prober.int-spec.ts',
    title: 'what a frozen prober was checking is answered by the other soon',
  },
  {
    mechanism: 'The results of one check have one identifier, whoever ran it',
    file: 'apps/prober/src/prober.service.ts',
    find: '{ id: checkId(task), urgent }',
    replace: '{ id: checkId(task) + Math.random(), urgent }',
    test: 'apps/prober/test/prober.int-spec.ts',
    title: 'what a frozen prober was checking is answered by the other soon',
  },
  {
    mechanism: 'A check that ran out of time while its prober stood still is no evidence',
    file: 'apps/prober/src/stalls.ts',
    find: 'check.stalledMs >= check.timeoutMs * SHARE',
    replace: 'check.stalledMs < 0',
    test: 'apps/prober/test/prober.int-spec.ts',
    title: 'while the prober itself stood still',
  },
];
