import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, temporaryDir } from '@tocsin/testing/servers';
import { expect, it, describe } from 'vitest';
import { atTheEnd, until } from '@tocsin/testing';
import { Supervised } from '../src/supervised.ts';

async function supervised(script: string): Promise<{ instance: Supervised; ends: number[]; log: () => string }> {
  const folder = temporaryDir('supervised');
  const logFile = join(folder, 'one.log');
  const ends: number[] = [];
  const spec = {
    service: 'one',
    instance: 'one-1',
    port: await freePort(),
    command: process.execPath,
    args: ['-e', script],
    cwd: folder,
    env: process.env,
    logFile,
    stopMs: 500,
  };
  const instance = new Supervised(spec, { ended: (_one, _how, wait) => ends.push(wait ?? -1) });
  atTheEnd(async () => {
    await instance.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  instance.start();
  return { instance, ends, log: () => readFileSync(logFile, 'utf8') };
}

const STAY = 'setInterval(() => {}, 1000); console.log("up");';

describe('a supervised instance', () => {
  it('is started again after it was killed, as a new process', async () => {
    const { instance, log } = await supervised(STAY);
    await until(() => log().includes('up'), { what: 'its first start' });
    const first = instance.pid;
    process.kill(first, 'SIGKILL');
    await until(() => instance.pid > 0 && instance.pid !== first, { what: 'a new process' });
    await until(() => log().match(/up/g)?.length === 2, { what: 'its second start' });
    expect(instance.pid).not.toBe(first);
  });

  it('that keeps ending is waited for longer each time', async () => {
    const { ends } = await supervised('process.exit(3)');
    await until(() => ends.length >= 3, { what: 'three ends' });
    expect(ends.slice(0, 3)).toEqual([250, 500, 1_000]);
  });

  it('that is held stays away when it ends, and is back at once when it is released', async () => {
    const { instance, ends, log } = await supervised(STAY);
    await until(() => log().includes('up'), { what: 'its first start' });
    instance.hold();
    process.kill(instance.pid, 'SIGKILL');
    await until(() => ends.length === 1, { what: 'its end' });
    expect([ends, instance.pid]).toEqual([[-1], -1]);
    instance.release();
    expect(instance.pid).toBeGreaterThan(0);
    await until(() => log().match(/up/g)?.length === 2, { what: 'its second start' });
  });

  it('that is released while it runs goes on running, and is started again from then on', async () => {
    const { instance, log } = await supervised(STAY);
    await until(() => log().includes('up'), { what: 'its first start' });
    const first = instance.pid;
    instance.hold();
    instance.release();
    expect(instance.pid).toBe(first);
    process.kill(first, 'SIGKILL');
    await until(() => log().match(/up/g)?.length === 2, { what: 'its second start' });
  });

  it('that refuses its configuration (exit code 78) is not started again', async () => {
    const { instance, ends } = await supervised('process.exit(78)');
    await until(() => instance.gaveUp, { what: 'giving up' });
    expect(ends).toEqual([]);
    expect(instance.gaveUp).toContain('refuses its configuration');
  });

  it('that does not stop when asked is killed', async () => {
    const { instance, log } = await supervised(`process.on('SIGTERM', () => console.log('no')); ${STAY}`);
    await until(() => log().includes('up'), { what: 'its start' });
    await instance.stop();
    expect(instance.pid).toBe(-1);
    expect(log()).toContain('no');
  });
});
