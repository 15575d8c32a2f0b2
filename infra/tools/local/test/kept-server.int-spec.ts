import { rmSync } from 'node:fs';
import { startRedis, temporaryDir } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { atTheEnd, until } from '@tocsin/testing';
import { KeptServer } from '../src/kept-server.ts';

async function kept(): Promise<{ server: KeptServer; changes: () => number }> {
  const dataDir = temporaryDir('kept');
  let changes = 0;
  const server = new KeptServer('redis', await startRedis({ dataDir }), () => changes++);
  atTheEnd(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { server, changes: () => changes };
}

describe('a server that is kept running', () => {
  it('is started again after it was killed', async () => {
    const { server } = await kept();
    const first = server.server.pid;
    process.kill(first, 'SIGKILL');
    await until(() => server.server.pid !== first && server.server.alive, { what: 'a new process' });
    expect(server.server.pid).toBeGreaterThan(0);
  });

  it('stays away while it is held, and is back at once when it is released', async () => {
    const { server, changes } = await kept();
    server.hold();
    process.kill(server.server.pid, 'SIGKILL');
    await until(() => changes() >= 2, { what: 'its end to be told' });
    expect(server.server.pid).toBe(-1);
    server.release();
    await until(() => server.server.alive, { what: 'its start' });
    await until(() => changes() >= 4, { what: 'its start to be told' });
  });

  it('is not waited for longer because of the kills before its release', async () => {
    const { server, changes } = await kept();
    for (let kill = 0; kill < 4; kill++) {
      server.hold();
      process.kill(server.server.pid, 'SIGKILL');
      await until(() => !server.server.alive, { what: 'its end' });
      server.release();
      const started = performance.now();
      await until(() => server.server.alive, { what: 'its start' });
      expect(performance.now() - started).toBeLessThan(1_000);
      await until(() => changes() >= 4 * (kill + 1), { what: 'its start to be told' });
    }
  });
});
