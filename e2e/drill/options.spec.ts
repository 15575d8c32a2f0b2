import { describe, expect, it } from 'vitest';
import { parseDrillOptions } from './options.ts';

describe('the options of a drill', () => {
  it('are ten strikes per scenario at 200 checks a second, unless said', () => {
    expect(parseDrillOptions([])).toMatchObject({ only: [], kills: 10, rate: 200, short: false, soakMs: undefined });
  });

  it('are one strike in the short form, and as many as are asked for', () => {
    expect(parseDrillOptions(['--short'])).toMatchObject({ short: true, kills: 1 });
    expect(parseDrillOptions(['--short', '--kills', '3'])).toMatchObject({ kills: 3 });
  });

  it('name a soak in seconds, minutes or hours, and its seed', () => {
    expect(parseDrillOptions(['--soak', '10m', '--seed', '7'])).toMatchObject({ soakMs: 600_000, seed: 7 });
    expect(parseDrillOptions(['--soak', '90s'])).toMatchObject({ soakMs: 90_000 });
  });

  it.each([
    ['--kills', '0'],
    ['--kills', 'many'],
    ['--rate', '5'],
    ['--soak', '10'],
    ['--soak', '5s'],
    ['--seed', 'x'],
  ])('refuse %s %s, and say what is taken', (name, value) => {
    expect(parseDrillOptions([name, value])).toMatch(new RegExp(`^${name} takes .*\n`));
  });

  it('refuse what they do not know', () => {
    expect(parseDrillOptions(['--kill', '5'])).toContain('Usage:');
  });
});
