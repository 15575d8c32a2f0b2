import { describe, expect, it } from 'vitest';
import { parseStartOptions } from './start-options.ts';

describe('npm start', () => {
  it('starts two of each and adds its own monitor when nothing is said', () => {
    const shape = { portAsked: false, cluster: false, drill: false };
    expect(parseStartOptions([])).toEqual({ fresh: false, instances: 2, port: 8420, ownMonitor: true, ...shape });
  });

  it('takes its options', () => {
    const options = parseStartOptions(['--fresh', '--instances', '3', '--no-own-monitor', '--cluster', '--drill']);
    const shape = { portAsked: false, cluster: true, drill: true };
    expect(options).toEqual({ fresh: true, instances: 3, port: 8420, ownMonitor: false, ...shape });
  });

  it('knows a port that somebody asked for from its own', () => {
    expect(parseStartOptions(['--port', '8420'])).toMatchObject({ port: 8420, portAsked: true });
    expect(parseStartOptions(['--port', '0'])).toMatchObject({ port: 0, portAsked: false });
  });

  it.each([['0'], ['9'], ['two'], ['1.5'], ['']])('refuses --instances %j and says what it takes', (value) => {
    expect(parseStartOptions([`--instances=${value}`])).toContain('--instances takes a whole number from 1 to 8');
  });

  it('refuses an unknown option with the usage', () => {
    expect(parseStartOptions(['--frsh'])).toMatch(/--frsh[\s\S]*Usage/);
  });
});
