import type { Mutant } from './mutant.ts';

/** The pure rules: windows, and what results come to. */
export const core: readonly Mutant[] = [
  {
    mechanism: 'A result that is delivered again is no news',
    file: 'libs/core/src/decide/location.ts',
    find: 'return result.attempt > location.attempt;',
    replace: 'return result.attempt >= location.attempt;',
    test: 'libs/core/src/decide/decide.model.spec.ts',
  },
  {
    mechanism: 'An older result changes nothing',
    file: 'libs/core/src/decide/location.ts',
    find: 'return result.dueAt > location.dueAt;',
    replace: 'return true;',
    test: 'libs/core/src/decide/decide.model.spec.ts',
  },
  {
    mechanism: 'What was folded stays folded through a pause',
    file: 'libs/core/src/decide/life.ts',
    find: 'const quiet = { ...state, locations: mapValues(state.locations, muted) };',
    replace: 'const quiet = { ...state, locations: {} };',
    test: 'libs/core/src/decide/decide.spec.ts',
  },
  {
    mechanism: 'A monitor whose results stop is unknown, with an incident of its own',
    file: 'libs/core/src/decide/life.ts',
    find: 'if (now <= silentAt(rules, state, healthySince))',
    replace: 'if (silentAt(rules, state, healthySince) > 0)',
    test: 'libs/core/src/decide/decide.spec.ts',
  },
  {
    mechanism: 'Pings count in the order in which the broker stored them',
    file: 'libs/core/src/decide/heartbeat.ts',
    find: 'publishedAt < (newestAt ?? lastPingAt)',
    replace: 'receivedAt < lastPingAt',
    test: 'libs/core/src/decide/heartbeat.spec.ts',
  },
  {
    mechanism: 'A worse state opens an incident of its own',
    file: 'libs/core/src/decide/change.ts',
    find: 'SEVERITY[bad] <= SEVERITY[open.worst]',
    replace: 'SEVERITY[bad] < 0',
    test: 'libs/core/src/decide/decide.model.spec.ts',
  },
  {
    mechanism: 'A time belongs to one window',
    file: 'libs/core/src/time/windows.ts',
    find: 'Math.floor((atMs',
    replace: 'Math.round((atMs',
    test: 'libs/core/src/time/windows.property.spec.ts',
  },
  {
    mechanism: 'An edit of the interval loses no window and doubles none',
    file: 'libs/core/src/uptime/uptime.ts',
    find: 'Math.min(toMs, span.to ?? toMs)',
    replace: 'toMs',
    test: 'libs/core/src/time/windows.property.spec.ts',
  },
];
