import type { Mutant } from './mutant.ts';

/** What makes the sum of all windows exact. */
export const coverage: readonly Mutant[] = [
  {
    mechanism: 'What is unaccounted for comes from the grid and is shown',
    file: 'libs/core/src/uptime/uptime.ts',
    find: 'const unaccounted = due - ran - late - missed - excused - pending;',
    replace: 'const unaccounted = 0;',
    test: 'libs/core/src/uptime/uptime.spec.ts',
  },
  {
    mechanism: 'A window is pending for as long as its grid says, and no longer',
    file: 'apps/incidents/migrations/008-coverage.sql',
    find: 'least(interval_ms, 60000) + 35000',
    replace: 'least(interval_ms, 60000) + 9035000',
    test: 'apps/incidents/test/coverage.int-spec.ts',
    title: 'a window waits for its end as long as its grid says',
  },
  {
    mechanism: 'A range is cut to what is still kept',
    file: 'apps/incidents/migrations/008-coverage.sql',
    find: 'IF f < kept THEN f := (f',
    replace: 'IF false THEN f := (f',
    test: 'apps/incidents/test/coverage.int-spec.ts',
    title: 'a range whose edges are no longer kept as finely',
  },
  {
    mechanism: 'A result that fell due in a former span counts in it',
    file: 'apps/incidents/src/fold/fold.service.ts',
    find: 'return ids.size === 0 ? []',
    replace: 'return ids.size >= 0 ? []',
    test: 'apps/incidents/test/fold.int-spec.ts',
    title: 'results that fell due in a pause are recorded and count for nothing',
  },
  {
    mechanism: 'Results are counted again when a span is heard of late',
    file: 'apps/incidents/src/monitors/monitors.store.ts',
    find: 'if (since.length === 0) return;',
    replace: 'if (since.length >= 0) return;',
    test: 'apps/incidents/test/coverage.int-spec.ts',
    title: 'is what walking every window one by one says',
  },
];
