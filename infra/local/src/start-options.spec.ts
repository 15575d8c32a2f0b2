import { describe, expect, it } from 'vitest';
import { parseStartOptions } from './start-options.ts';

describe('npm start', () => {
  it('starts two of each and adds its own monitor when nothing is said', () => {
    const shape = { cluster: false, drill: false };
    expect(parseStartOptions([])).toEqual({ fresh: false, instances: 2, port: 8420, ownMonitor: true, ...shape });
  });

  it('takes its options', () => {
    const options = parseStartOptions(['--fresh', '--instances', '3', '--no-own-monitor', '--cluster', '--drill']);
    const shape = { cluster: true, drill: true };
    expect(options).toEqual({ fresh: true, instances: 3, port: 8420, ownMonitor: false, ...shape });
  });

  it.each([['0'], ['9'], ['two'], ['1.5'], ['']])('refuses --instances %j and says what it takes', (value) => {
    expect(parseStartOptions([`--instances=${value}`])).toContain('--instances takes a whole number from 1 to 8');
  });

  it('refuses an unknown option with the usage', () => {
    expect(parseStartOptions(['--frsh'])).toMatch(/--frsh[\s\S]*Usage/);
  });
});
