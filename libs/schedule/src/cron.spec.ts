import { describe, expect, it } from 'vitest';
import { CronSchedule, isTimeZone } from './index.ts';

function upcoming(expression: string, zone: string, after: string, count = 4): string[] {
  const times = new CronSchedule(expression, zone).upcoming(Date.parse(after), count);
  return times.map((at) => new Date(at).toISOString().replace(/:00\.000Z$/, 'Z'));
}

describe('cron over a change of the clocks, as cron(8) of Debian', () => {
  it.each([
    // Berlin, 25 October 2026: at 3:00 (1:00Z) it is 2:00 once more.
    ['0 1-3 * * *', ['2026-10-24T23:00Z', '2026-10-25T00:00Z', '2026-10-25T02:00Z', '2026-10-26T00:00Z']],
    ['30 2,3 * * *', ['2026-10-25T00:30Z', '2026-10-25T02:30Z', '2026-10-26T01:30Z', '2026-10-26T02:30Z']],
    ['15,45 2 * * *', ['2026-10-25T00:15Z', '2026-10-25T00:45Z', '2026-10-26T01:15Z', '2026-10-26T01:45Z']],
    ['0 */2 * * *', ['2026-10-24T22:00Z', '2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T03:00Z']],
    ['*/30 2 * * *', ['2026-10-25T00:00Z', '2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z']],
  ])('%s in Berlin when an hour comes twice', (expression, times) => {
    expect(upcoming(expression, 'Europe/Berlin', '2026-10-24T21:30:00Z')).toEqual(times);
  });

  it.each([
    // Berlin, 29 March 2026: at 2:00 (1:00Z) it is 3:00.
    ['30 2 * * *', ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z']],
    ['0 1-3 * * *', ['2026-03-28T01:00Z', '2026-03-28T02:00Z', '2026-03-29T00:00Z', '2026-03-29T01:00Z']],
    ['15,45 2 * * *', ['2026-03-28T01:15Z', '2026-03-28T01:45Z', '2026-03-29T01:00Z', '2026-03-30T00:15Z']],
    ['20 * * * *', ['2026-03-28T00:20Z', '2026-03-28T01:20Z']],
    ['*/30 2 * * *', ['2026-03-28T01:00Z', '2026-03-28T01:30Z', '2026-03-30T00:00Z']],
  ])('%s in Berlin when an hour is skipped', (expression, times) => {
    expect(upcoming(expression, 'Europe/Berlin', '2026-03-28T00:10:00Z', times.length)).toEqual(times);
  });

  it('half an hour on Lord Howe Island is no other', () => {
    const [zone, back, forth] = ['Australia/Lord_Howe', '2026-04-04T13:00:00Z', '2026-10-03T14:00:00Z'];
    // 2:00 at UTC+11 is 1:30 at UTC+10:30, and half a year later 2:00 is 2:30.
    expect(upcoming('45 1 * * *', zone, back, 2)).toEqual(['2026-04-04T14:45Z', '2026-04-05T15:15Z']);
    expect(upcoming('*/15 1 * * *', zone, back, 7).slice(4)).toEqual([
      '2026-04-04T15:00Z',
      '2026-04-04T15:15Z',
      '2026-04-05T14:30Z',
    ]);
    expect(upcoming('15 2 * * *', zone, forth, 2)).toEqual(['2026-10-03T15:30Z', '2026-10-04T15:15Z']);
  });
});

describe('a cron expression', () => {
  it.each([
    ['0 0 */2 * 6', ['2026-01-03', '2026-01-17', '2026-01-31']],
    ['0 0 13 * */5', ['2026-02-13', '2026-03-13', '2026-09-13']],
    ['0 0 13 * FRI', ['2026-01-02', '2026-01-09', '2026-01-13']],
    ['0 0 1-31 * MON', ['2026-01-02', '2026-01-03', '2026-01-04']],
    ['0 0 1,*/10 * MON', ['2026-01-05', '2026-01-11', '2026-01-12']],
    ['0 0 ? * MON', ['2026-01-05', '2026-01-12', '2026-01-19']],
    ['0 0 L * *', ['2026-01-31', '2026-02-28', '2026-03-31']],
    ['0 0 * * SUN#1', ['2026-01-04', '2026-02-01', '2026-03-01']],
    ['0 0 * * 7', ['2026-01-04', '2026-01-11', '2026-01-18']],
    ['0 0 0 ? * MON', ['2026-01-05', '2026-01-12', '2026-01-19']],
    ['@monthly', ['2026-02-01', '2026-03-01', '2026-04-01']],
    ['0 0 29 2 *', ['2028-02-29', '2032-02-29', '2036-02-29']],
  ])('%s', (expression, days) => {
    expect(upcoming(expression, 'UTC', '2026-01-01T00:00:00Z', 3).map((time) => time.slice(0, 10))).toEqual(days);
  });

  it('of six fields begins with seconds', () => {
    expect(upcoming('0 12 * * ? *', 'UTC', '2026-01-01T00:00:00Z', 2)).toEqual([
      '2026-01-01T00:12Z',
      '2026-01-01T01:12Z',
    ]);
  });

  it.each(['nonsense', '61 * * * *', '5/15 * * * *', '0 0 0 1 1 * 2030', '0 22-2 * * *', ''])('is none: %s', (text) => {
    expect(() => new CronSchedule(text, 'UTC')).toThrow(/CronPattern/);
  });

  it('that never comes true has no next time', () => {
    expect(new CronSchedule('0 0 31 2 *', 'UTC').next(0)).toBeUndefined();
  });

  it('a zone is one of the IANA database', () => {
    expect([isTimeZone('Europe/Berlin'), isTimeZone('Mars/Olympus')]).toEqual([true, false]);
    expect(() => new CronSchedule('* * * * *', 'Mars/Olympus')).toThrow(RangeError);
  });
});
