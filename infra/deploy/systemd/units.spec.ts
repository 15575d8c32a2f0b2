import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const folder = import.meta.dirname;
const files = readdirSync(folder).filter((name) => /\.(service|timer|target)$/.test(name));
/** A template is looked at as one of its units. */
const units = files.map((name) => name.replace('@.', '@gateway.'));
/** systemd's own, which ours name or which every unit hangs on. */
const THEIRS = ['sysinit', 'basic', 'shutdown', 'timers', 'network-online', 'multi-user'].map(
  (name) => `${name}.target`,
);
/**
 * How much of the host a unit could reach, from 0 to 10 by systemd's own measure. keepalived is root, with the right to change
 * addresses and routes.
 */
const exposureOf = (unit: string): number => (unit === 'tocsin-keepalived.service' ? 3.5 : 2);

const analyze = (...args: string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
/** The first version that looks at a folder instead of the machine it runs on. */
const version = Number(/^systemd (\d+)/.exec(analyze('--version').stdout ?? '')?.[1] ?? 0);
const reason = version >= 250 ? '' : 'there is no systemd-analyze of systemd 250 or newer';

describe.skipIf(reason !== '')(`systemd's opinion of the units${reason && ` (${reason})`}`, () => {
  const root = mkdtempSync(join(tmpdir(), 'tocsin-units-'));
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

  beforeAll(() => {
    for (const name of THEIRS) put(`usr/lib/systemd/system/${name}`, `[Unit]\nDescription=${name}\n`);
    for (const name of files) {
      put(`etc/systemd/system/${name}`, '');
      copyFileSync(join(folder, name), join(root, 'etc/systemd/system', name));
      for (const [, program] of readFileSync(join(folder, name), 'utf8').matchAll(/^Exec\w+=[-+!:@]*(\S+)/gm)) {
        put(program!, '#!/bin/sh\n');
        chmodSync(join(root, program!), 0o755);
      }
    }
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each(units)('%s: nothing to complain of', (unit) => {
    const { status, stdout, stderr } = analyze('verify', '--man=no', `--root=${root}`, unit);
    expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: '' });
  });

  it.each(units.filter((unit) => unit.endsWith('.service')))('%s: its sandbox is closed', (unit) => {
    const { stdout } = analyze('security', '--offline=yes', '--no-pager', `--root=${root}`, unit);
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
    expect(exposure).toBeLessThanOrEqual(exposureOf(unit));
  });
});
