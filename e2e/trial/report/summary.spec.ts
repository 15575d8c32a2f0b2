import { describe, expect, it } from 'vitest';
import { emptyRow } from './row.ts';
import { asSummary, byFailure } from './summary.ts';

const killed = { ...emptyRow('one prober', 'killed'), kills: 3 };
const frozen = { ...emptyRow('one prober', 'frozen'), kills: 4, broken: ['a promise'] };
frozen.checks = { ...frozen.checks, missed: 2, due: 1_000, worstLateMs: 2_400 };
const redis = emptyRow('all of Redis', 'killed');

describe('the short table', () => {
  it('has a line for each failure, however it came about', () => {
    expect(byFailure([killed, redis, frozen]).map(({ failure, hows }) => [failure, hows])).toEqual([
      ['one prober', ['killed', 'frozen']],
      ['all of Redis', ['killed']],
    ]);
  });

  it('adds up counts, takes the worst of times, and says what was broken', () => {
    const run = { rows: [killed, frozen], machine: 'm', at: 'today', command: 'c', seed: 1, checksPerSecond: 200 };
    const line = asSummary(run)
      .split('\n')
      .find((one) => one.startsWith('| one prober'));
    const cells = line?.split('|').map((cell) => cell.trim());
    expect(cells?.slice(1, -1)).toEqual([
      'one prober (killed, frozen)',
      '7',
      '2 / 0, 1,000',
      '2.4 s',
      '0 / 0 / 0, 0',
      '0.0 s',
      '0 / 0, 0',
      '**1 broken**',
    ]);
  });

  it('is padded as the formatter pads it, numbers to the right', () => {
    const run = { rows: [killed], machine: 'm', at: 'today', command: 'c', seed: 1, checksPerSecond: 200 };
    const [headings = '', rule = '', line = ''] = asSummary(run).split('\n');
    expect([rule.length, line.length]).toEqual([headings.length, headings.length]);
    expect(rule).toMatch(/^\| -+ \| -+: \| /);
    expect(line).toContain(' |    3 | ');
  });
});
