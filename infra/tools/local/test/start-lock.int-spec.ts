import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { projectRoot, temporaryDir } from '@tocsin/testing/servers';
import { afterEach, describe, expect, it, vi } from 'vitest';

const KILLED_START = `
const { claim, noteChildren } = await import('./src/start-lock.ts');
await claim();
await noteChildren([Number(process.env.LEFTOVER)]);
console.log('claimed');
setInterval(() => undefined, 1000);
`;

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  vi.unstubAllEnvs();
  vi.resetModules();
});

describe('npm start', () => {
  it('is one at a time', async () => {
    const { claim, AlreadyRunning } = await lockIn(temporaryDir('lock'));
    const release = await claim();
    await expect(claim()).rejects.toThrow(AlreadyRunning);
    await release();
    await (
      await claim()
    )();
  });

  it('is not kept from starting by half a lock', async () => {
    const dir = temporaryDir('lock');
    mkdirSync(join(dir, 'start-lock'));
    writeFileSync(join(dir, 'start-lock/half'), '{"pid":');
    const { claim } = await lockIn(dir);
    await expect(claim()).resolves.toBeTypeOf('function');
  });

  it('is one at a time also when two wait for what a killed one left', async () => {
    const dir = temporaryDir('lock');
    const leftover = node('setInterval(() => undefined, 1000)');
    await killedStart(dir, leftover);
    const { claim, AlreadyRunning } = await lockIn(dir);
    const starts = Promise.allSettled([claim(), claim()]);
    // Both have seen the lock and wait.
    await setImmediate();
    leftover.kill('SIGKILL');
    const [won, lost] = (await starts).toSorted((a, b) => a.status.localeCompare(b.status));
    expect(won).toMatchObject({ status: 'fulfilled' });
    expect(lost).toMatchObject({ status: 'rejected', reason: expect.any(AlreadyRunning) as unknown });
  });
});

/** A start that had begun another process, and was killed. */
async function killedStart(dir: string, leftover: ChildProcess): Promise<void> {
  const start = node(KILLED_START, { TOCSIN_DIR: dir, LEFTOVER: String(leftover.pid) });
  await once(start.stdout!, 'data');
  const ended = once(start, 'exit');
  start.kill('SIGKILL');
  await ended;
}

function node(script: string, env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, ['--import', '@oxc-node/core/register', '--input-type=module', '-e', script], {
    cwd: join(projectRoot, 'infra/tools/local'),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
}

/** The module reads its folder from the environment when it is loaded. */
async function lockIn(dir: string): Promise<typeof import('../src/start-lock.ts')> {
  vi.stubEnv('TOCSIN_DIR', dir);
  vi.resetModules();
  return await import('../src/start-lock.ts');
}
