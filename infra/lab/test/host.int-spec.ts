import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { until } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { whyNot } from '../src/programs.ts';
import type { UnitStatus } from '../src/commands.ts';
import { namespacesOf, usersOf } from './namespaces.ts';
import { toyHosts } from './toys.ts';

const reason = await whyNot();

describe.skipIf(reason !== undefined)(`a host${reason ? ` (${reason})` : ''}`, () => {
  let lab: Awaited<ReturnType<typeof toyHosts>>;
  const unit = (name: string): string => `tocsin-${name}.service`;
  const status = async (name: string): Promise<UnitStatus> => (await lab.a.status())[unit(name)]!;
  const machine = { users: readFileSync('/etc/passwd', 'utf8'), mounts: readFileSync('/proc/mounts', 'utf8') };

  beforeAll(async () => {
    lab = await toyHosts([unit('plain'), 'tocsin@one.service']);
    await lab.a.powerOn();
    await lab.a.units('start', unit('plain'));
  });
  afterAll(() => lab?.enclosure.close());

  it('starts what is enabled, as its user, and nothing else', async () => {
    const { state, pid } = await status('plain');
    expect(state).toBe('running');
    // It becomes that user right after it was started.
    const user = () => lab.a.run(['ps', '-o', 'user=', '-p', String(pid)]);
    await until(async () => (await user()).startsWith('tocsin-r'), { what: 'its user' });
    expect((await status('family')).state).toBe('stopped');
  });

  it('starts again what was killed', async () => {
    const before = await status('plain');
    await lab.a.signal(unit('plain'), 'SIGKILL');
    const after = await until(async () => {
      const now = await status('plain');
      return now.state === 'running' && now.pid !== before.pid && now;
    });
    expect(after.restarts).toBe(before.restarts + 1);
  });

  it('knows all processes of a unit, and leaves none when its main one dies', async () => {
    await lab.a.units('start', unit('family'));
    const before = await until(async () => {
      const now = await status('family');
      return now.pids.length === 3 && now;
    });
    await lab.a.signal(unit('family'), 'SIGKILL');
    await until(async () => (await status('family')).restarts === 1 && (await status('family')).pids.length === 3);
    for (const pid of before.pids) expect((await status('family')).pids).not.toContain(pid);
    await lab.a.units('stop', unit('family'));
    expect((await status('family')).pids).toEqual([]);
    expect(await lab.a.run(['ps', '-e', '-o', 'args='])).not.toContain('<defunct>');
  });

  it('lets what a dead main process left behind end in order, and cleans up after that', async () => {
    await lab.a.units('start', unit('orderly'));
    await until(async () => (await status('orderly')).pids.length === 3);
    await lab.a.signal(unit('orderly'), 'SIGKILL');
    await until(async () => (await status('orderly')).state === 'failed');
    expect(await lab.a.log(unit('orderly'))).toMatch(/in order\nat last\n$/);
  });

  it('stops what waits before its main process', async () => {
    const started = lab.a.units('start', unit('waiting'));
    await until(async () => (await status('waiting')).pids.length > 0, { what: 'what comes before' });
    await lab.a.units('stop', unit('waiting'));
    await started;
    expect(await status('waiting')).toMatchObject({ state: 'stopped', pids: [] });
  });

  it('hands a sub-service its user, its settings, its credentials and its folder', async () => {
    await lab.a.run(['touch', '/tmp/of-somebody-else']);
    await lab.a.units('restart', 'tocsin@one.service');
    const printed = 'tocsin-one\nof one\nsecret\ntocsin-one\n';
    await until(async () => (await lab.a.log('tocsin@one.service')).endsWith(printed));
    const stat = ['stat', '-c', '%a %U', '/run/credentials/tocsin@one.service/tocsin_PASSWORD'];
    expect(await lab.a.run(stat)).toBe('400 tocsin-one\n');
  });

  it('gets another version of a file while it is on', async () => {
    await lab.a.mount('/etc/hostname', '/opt/tocsin/one/version');
    expect(await lab.a.run(['cat', '/opt/tocsin/one/version'])).toBe(readFileSync('/etc/hostname', 'utf8'));
    await lab.a.mount('/etc/os-release', '/opt/tocsin/one/version');
    expect(await lab.a.run(['cat', '/opt/tocsin/one/version'])).toBe(readFileSync('/etc/os-release', 'utf8'));
  });

  it('freezes a unit and lets it go on', async () => {
    const { pid } = await status('plain');
    const seen = (state: RegExp): Promise<boolean> =>
      until(async () => state.test((await lab.a.run(['ps', '-o', 'stat=', '-p', String(pid)])).trim()), {
        what: `the state ${state.source}`,
      });
    await lab.a.signal(unit('plain'), 'SIGSTOP', 'all');
    expect(await seen(/^T/)).toBe(true);
    await lab.a.signal(unit('plain'), 'SIGCONT', 'all');
    expect(await seen(/^[SR]/)).toBe(true);
    await lab.a.freeze(true);
    expect(await seen(/^T/)).toBe(true);
    await lab.a.freeze(false);
    expect(await seen(/^[SR]/)).toBe(true);
  });

  it('kills what does not stop in its time', async () => {
    await lab.a.units('start', unit('stubborn'));
    await lab.a.units('stop', unit('stubborn'));
    expect(await status('stubborn')).toMatchObject({ state: 'stopped', pids: [] });
  });

  it('does not start again what refuses its configuration', async () => {
    await lab.a.units('start', unit('refusing')).catch(() => undefined);
    await until(async () => (await status('refusing')).state === 'failed');
    expect((await status('refusing')).restarts).toBe(0);
    await expect(lab.a.signal(unit('refusing'), 'SIGKILL')).rejects.toThrow('does not run');
  });

  it('waits for a unit that says when it is ready, and starts others after it', async () => {
    const both = lab.a.units('start', unit('after'), unit('ready'));
    await until(async () => (await status('ready')).state === 'starting');
    expect((await status('after')).state).toBe('stopped');
    await both;
    expect([(await status('ready')).state, (await status('after')).state]).toEqual(['running', 'running']);
  });

  it('kills what its watchdog does not hear', async () => {
    await lab.a.units('start', unit('watched'));
    const { pids } = await status('watched');
    await until(async () => (await status('watched')).restarts > 0);
    for (const pid of pids) expect((await status('watched')).pids).not.toContain(pid);
    await lab.a.units('stop', unit('watched'));
  });

  it('leaves no process and no namespace when its power is cut, and keeps its disk', async () => {
    await lab.a.run(['sh', '-c', 'echo kept >/var/lib/tocsin/note; echo lost >/run/note']);
    const own = namespacesOf(await lab.a.run(['sh', '-c', 'readlink /proc/1/ns/pid /proc/1/ns/net']));
    await lab.a.powerOff();
    expect(usersOf(own)).toEqual([]);
    await lab.a.powerOn();
    await lab.a.units('start', unit('plain'));
    expect(await lab.a.run(['sh', '-c', 'cat /var/lib/tocsin/note /run/note 2>/dev/null || true'])).toBe('kept\n');
  });

  it('leaves the machine as it was', () => {
    expect(existsSync('/etc/tocsin/toys')).toBe(false);
    expect(readdirSync('/media').filter((name) => name === 'a')).toEqual([]);
    expect({ users: readFileSync('/etc/passwd', 'utf8'), mounts: readFileSync('/proc/mounts', 'utf8') }).toEqual(
      machine,
    );
  });
});
