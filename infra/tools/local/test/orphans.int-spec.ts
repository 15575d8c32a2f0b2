import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { until } from '@tocsin/testing';
import { identify, isRunning } from '../src/process-identity.ts';

const PARENT = `
const { startNats, startRedis, startPostgres } = await import('@tocsin/testing/servers');
const servers = await Promise.all([startNats(), startRedis(), startPostgres({ durable: false })]);
console.log(JSON.stringify(servers.map((server) => server.pid)));
setInterval(() => undefined, 1000);
`;

describe('servers', () => {
  it('do not outlive a parent that was killed', async () => {
    const parent = spawn(
      process.execPath,
      ['--import', '@oxc-node/core/register', '--input-type=module', '-e', PARENT],
      {
        cwd: join(projectRoot, 'infra/tools/local'),
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let printed = '';
    parent.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const pids = JSON.parse(
      await until(() => /\[.*\]/.exec(printed)?.[0], { what: 'three servers', timeoutMs: 30_000 }),
    ) as number[];
    const servers = (await Promise.all(pids.map((pid) => identify(pid)))).filter((known) => known !== undefined);
    expect(servers).toHaveLength(3);
    parent.kill('SIGKILL');
    await until(async () => !(await Promise.all(servers.map((known) => isRunning(known)))).includes(true), {
      what: 'the end of all three',
    });
  });
});

describe('the identity of a process', () => {
  it('is not that of a later process with the same id', async () => {
    const own = await identify(process.pid);
    expect(own && (await isRunning(own))).toBe(true);
    expect(await isRunning({ pid: process.pid, startedAt: '1' })).toBe(false);
  });

  it('of a process that is gone is unknown', async () => {
    expect(await identify(-1)).toBeUndefined();
    expect(await identify(2 ** 22 + 1)).toBeUndefined();
  });
});
