import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, describe } from 'vitest';
import { freePort, RunningServer, startRedis, temporaryDir } from '@tocsin/testing/servers';
import { atTheEnd, until } from '@tocsin/testing';
import { Supervisor, type SupervisorOptions } from '../src/supervisor.ts';

function supervised(server: RunningServer, o: SupervisorOptions = {}) {
  const told: string[] = [];
  let changes = 0;
  const supervisor = new Supervisor('one', server, { changed: () => changes++, tell: (line) => told.push(line), ...o });
  atTheEnd(() => supervisor.stop());
  return { supervisor, server, told, changes: () => changes };
}

/** A script as a process that nobody waits for, as a service is. */
async function script(text: string) {
  const folder = temporaryDir('supervised');
  const logFile = join(folder, 'one.log');
  const server = new RunningServer({
    name: 'one',
    url: 'http://127.0.0.1',
    port: await freePort(),
    command: process.execPath,
    args: ['-e', text],
    cwd: folder,
    stopSignal: 'SIGTERM',
    stopMs: 500,
    logFile,
  });
  const one = supervised(server);
  one.supervisor.start();
  return { ...one, log: () => readFileSync(logFile, 'utf8') };
}

const STAY = 'setInterval(() => {}, 1000); console.log("up");';
const waitsIn = (told: string[]): number[] =>
  [...told.join('\n').matchAll(/again in (\d+) ms/g)].map(([, ms]) => Number(ms));

describe('a supervised process', () => {
  it('is started again after it was killed, as a new process', async () => {
    const { server, log, told } = await script(STAY);
    await until(() => log().includes('up'), { what: 'its first start' });
    const first = server.pid;
    process.kill(first, 'SIGKILL');
    await until(() => server.pid > 0 && server.pid !== first, { what: 'a new process' });
    await until(() => log().match(/up/g)?.length === 2, { what: 'its second start' });
    expect(told[0]).toContain('one was ended by SIGKILL; starting it again in 250 ms');
  });

  it('that keeps ending is waited for longer each time', async () => {
    const { told } = await script('process.exit(3)');
    await until(() => told.length >= 3, { what: 'three ends' });
    expect(waitsIn(told).slice(0, 3)).toEqual([250, 500, 1_000]);
  });

  it('that is released while it runs goes on running, and its crashes before that no longer count', async () => {
    const { supervisor, server, log, told } = await script(STAY);
    const starts = (n: number) => until(() => log().match(/up/g)?.length === n, { what: `start ${n}` });
    await starts(1);
    process.kill(server.pid, 'SIGKILL');
    await starts(2);
    process.kill(server.pid, 'SIGKILL');
    await starts(3);
    const running = server.pid;
    supervisor.hold();
    supervisor.release();
    expect(server.pid).toBe(running);
    process.kill(running, 'SIGKILL');
    await starts(4);
    expect(waitsIn(told)).toEqual([250, 500, 250]);
  });

  it('that refuses its configuration (exit code 78) is not started again', async () => {
    const { supervisor, told } = await script('process.exit(78)');
    await until(() => supervisor.gaveUp, { what: 'giving up' });
    expect(told).toEqual([]);
    expect(supervisor.gaveUp).toContain('refuses its configuration');
  });

  it('that can not be run at all is tried again', async () => {
    const folder = temporaryDir('supervised');
    const nowhere = { name: 'one', url: '', port: 1, command: join(folder, 'nothing'), args: [] };
    const { supervisor, told } = supervised(
      new RunningServer({ ...nowhere, stopSignal: 'SIGTERM', logFile: join(folder, 'one.log') }),
    );
    supervisor.start();
    await until(() => told.length >= 2, { what: 'two attempts' });
    expect(waitsIn(told).slice(0, 2)).toEqual([250, 500]);
  });

  it('that does not stop when it is told to is killed', async () => {
    const { supervisor, server, log } = await script(`process.on('SIGTERM', () => console.log('no')); ${STAY}`);
    await until(() => log().includes('up'), { what: 'its start' });
    await supervisor.stop();
    expect(server.pid).toBe(-1);
    expect(log()).toContain('no');
  });
});

describe('a supervised server', () => {
  const redis = async (o?: SupervisorOptions) => supervised(await startRedis(), o);

  it('is started again after it was killed, and its changes are told', async () => {
    const { server, changes } = await redis();
    const first = server.pid;
    process.kill(first, 'SIGKILL');
    await until(() => server.pid !== first && server.alive && changes() >= 2, { what: 'a new process' });
    expect(server.pid).toBeGreaterThan(0);
  });

  it('stays down while it is held, and is back at once when it is released, however often it was killed', async () => {
    const { supervisor, server, told, changes } = await redis();
    for (let kill = 1; kill <= 4; kill++) {
      supervisor.hold();
      process.kill(server.pid, 'SIGKILL');
      await until(() => told.filter((line) => line.includes('it is held')).length === kill, { what: 'its end' });
      expect(server.pid).toBe(-1);
      supervisor.release();
      const releasedAt = performance.now();
      await until(() => server.alive, { what: 'its start' });
      expect(performance.now() - releasedAt).toBeLessThan(1_000);
      // Killed before it is ready, it would count as one that could not be started.
      await until(() => changes() === 2 * kill, { what: 'its start to be told' });
    }
    expect(waitsIn(told)).toEqual([0, 0, 0, 0]);
  });

  it('is not started before it may', async () => {
    let may = false;
    let asked = 0;
    const { server } = await redis({ mayStart: () => Promise.resolve((asked++, may)) });
    process.kill(server.pid, 'SIGKILL');
    await until(() => asked >= 2, { what: 'two questions' });
    expect(server.alive).toBe(false);
    may = true;
    await until(() => server.alive, { what: 'its start' });
  });
});
