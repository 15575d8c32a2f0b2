import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { removeForgotten, temporaryDir, temporaryRoot } from './temporary.ts';

const NOW = Date.now() / 1000;
const SEVEN_HOURS_AGO = NOW - 7 * 3600;

/** The id of a process that has ended. */
const gone = spawnSync(process.execPath, ['-e', '']).pid;

afterEach(() => vi.unstubAllEnvs());

describe('a temporary folder', () => {
  it.each([
    ['goes', 'old, and its maker is gone', { name: `tocsin-${gone}-aB3xYz`, mtime: SEVEN_HOURS_AGO }],
    ['goes', 'old, and says nothing of its maker', { name: 'postgres-aB3xYz', mtime: SEVEN_HOURS_AGO }],
    ['stays', 'young, so that its servers may be at work', { name: `tocsin-${gone}-aB3xYz`, mtime: NOW }],
    [
      'stays',
      'of a process that lives, as in a long drill',
      { name: `tocsin-${process.pid}-aB3xYz`, mtime: SEVEN_HOURS_AGO },
    ],
  ])('%s when it is %s', (fate, _, { name, mtime }) => {
    vi.stubEnv('TOCSIN_TMP', temporaryDir('forgotten'));
    const folder = join(temporaryRoot(), name);
    mkdirSync(join(folder, 'data'), { recursive: true });
    utimesSync(folder, mtime, mtime);
    removeForgotten();
    expect(existsSync(folder)).toBe(fate === 'stays');
  });

  it('says who made it', () => {
    expect(temporaryDir('some')).toMatch(new RegExp(String.raw`/some-${process.pid}-\w+$`));
  });
});
