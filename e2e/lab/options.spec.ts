import { describe, expect, it } from 'vitest';
import { parseLabOptions } from './options.ts';

describe('the options of a lab', () => {
  it('are all scenarios at 30 checks a second, unless said', () => {
    expect(parseLabOptions([])).toMatchObject({ only: [], rate: 30, short: false, orSkip: false, open: false });
  });

  it('name scenarios', () => {
    expect(parseLabOptions(['--only', 'host,partition', '--again'])).toMatchObject({
      only: ['host', 'partition'],
      again: true,
    });
  });

  it('are refused with the usage when a rate is out of bounds or nobody knows them', () => {
    expect(parseLabOptions(['--rate', '10'])).toMatch(/--rate takes .* not "10"[^]*Usage/);
    expect(parseLabOptions(['--kills', '3'])).toContain('Usage');
  });
});
