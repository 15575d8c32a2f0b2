import type { MonitorTally } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { exposition } from './exposition.ts';

const NONE = { ran: 0, late: 0, missed: 0, excused: 0 };

function tally(over: Partial<MonitorTally> = {}): MonitorTally {
  return { monitorId: 'm1', name: 'shop', kind: 'http', state: 'up', hour: NONE, day: NONE, ...over };
}

const text = (tallies: MonitorTally[], omitted = false): string => [...exposition(tallies, omitted)].join('');

describe('monitors as metrics', () => {
  it('give their state, how their windows ended and the ratio, each family in one group', () => {
    const lines = text([tally({ hour: { ran: 3, late: 1, missed: 0, excused: 2 } }), tally({ monitorId: 'm2' })]).split(
      '\n',
    );
    expect(lines).toContain('tocsin_monitor_state{monitor="m1",name="shop",kind="http",state="up"} 1');
    expect(lines).toContain('tocsin_monitor_coverage_ratio{monitor="m1",name="shop",range="1h"} 0.75');
    expect(lines).toContain('tocsin_monitor_windows{monitor="m1",range="1h",outcome="excused"} 2');
    const families = lines
      .filter((line) => !line.startsWith('#') && line !== '')
      .map((line) => line.split(/[ {]/, 1)[0]);
    const turns = families.filter((name, n) => name !== families[n - 1]);
    expect(turns).toEqual([...new Set(turns)]);
  });

  it('have no ratio where nothing was owed: a paused monitor is not a bad one', () => {
    expect(text([tally()])).not.toContain('coverage_ratio{');
  });

  it('keep what people wrote within its label', () => {
    const name = 'a "b" \\ c\nd';
    expect(text([tally({ name })])).toContain(String.raw`name="a \"b\" \\ c\nd",kind`);
  });

  it('say that some are left out, and come in pieces', () => {
    const pieces = [...exposition(Array(2_000).fill(tally()) as MonitorTally[], true)];
    expect(pieces.length).toBeGreaterThan(5);
    expect(pieces.every((piece) => piece.length < 100_000)).toBe(true);
    expect(pieces.at(-1)).toMatch(/\ntocsin_monitors_omitted 1\n$/);
  });
});
