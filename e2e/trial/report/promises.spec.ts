import { describe, expect, it } from 'vitest';
import { judge, promises, strict, untimed } from './promises.ts';
import { emptyRow, type Row } from './row.ts';

function aRow(): Row {
  const row = emptyRow('one prober', 'killed');
  row.checks.due = row.alerts.expected = row.api.requests = 1;
  return row;
}

describe('the promises', () => {
  it('of a short run leave times aside, and nothing else', () => {
    const slow = aRow();
    Object.assign(slow.checks, { missed: 1, late: 1, worstLateMs: 60_000 });
    slow.alerts.worstExtraMs = 60_000;
    expect(judge(slow, promises(untimed()))).toEqual([]);
    slow.checks.missedLong = slow.alerts.lost = slow.alerts.doubled = slow.api.failed = 1;
    expect(judge(slow, promises(untimed()))).toHaveLength(4);
  });

  it('hold where nothing was lost', () => {
    expect(judge(aRow(), strict)).toEqual([]);
  });

  const bounded = (['checks', 'alerts', 'api', 'recoveryMs'] as const).flatMap((group) =>
    Object.entries(strict[group])
      .filter(([, bound]) => Number.isFinite(bound))
      .map(([name, bound]) => [group, name, bound] as const),
  );

  it.each(bounded)('of %s %s are broken by one more than the bound, in words', (group, name, bound) => {
    const row = aRow();
    const figures: Record<string, number> = row[group];
    figures[name] = bound;
    expect(judge(row, strict)).toEqual([]);
    figures[name] = bound + 1;
    expect(judge(row, strict)).toEqual([expect.stringContaining(`: ${bound + 1}, promised at most ${bound}`)]);
    expect(judge(row, promises({ [group]: { [name]: Infinity } }))).toEqual([]);
  });

  it('are broken by a figure that is none', () => {
    const row = aRow();
    row.checks.missed = Number.NaN;
    expect(judge(row, strict)).toHaveLength(1);
  });

  it('of a scenario replace the strict ones one by one', () => {
    const allowed = promises({ checks: { missed: 3 } });
    expect(allowed.checks).toEqual({ ...strict.checks, missed: 3 });
    expect(allowed.alerts).toEqual(strict.alerts);
  });

  it('are not kept by a row that counted nothing', () => {
    expect(judge(emptyRow('nothing', 'none'), strict)).toHaveLength(3);
  });
});
