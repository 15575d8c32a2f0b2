import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Health } from './health.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const well = () => Promise.resolve({ role: 'primary' });
const away = () => Promise.reject(new Error('no server at nats://u:hunter2@h'));

function running(): Health {
  const health = new Health();
  health.become('running');
  return health;
}

describe('Health', () => {
  it('is not ready before the service runs and after it began to stop', async () => {
    const health = new Health();
    expect(await health.report()).toMatchObject({ status: 'not_ready', reason: 'starting' });
    health.become('running');
    expect(await health.report()).toMatchObject({ status: 'ready' });
    health.become('draining');
    expect(await health.report()).toMatchObject({ status: 'not_ready', reason: 'stopping' });
  });

  it('is not ready without a dependency that is required, and says which', async () => {
    const health = running();
    health.add('nats', away);
    health.add('postgres', well);
    expect(await health.report()).toMatchObject({
      status: 'not_ready',
      reason: 'waiting for nats',
      dependencies: { nats: { ok: false, required: true }, postgres: { ok: true, role: 'primary' } },
    });
  });

  it('is ready without one that is not', async () => {
    const health = running();
    health.add('redis', away, { required: false });
    expect(await health.report()).toMatchObject({ status: 'ready', dependencies: { redis: { ok: false } } });
  });

  it('keeps what a check says of a dependency that is not well', async () => {
    const health = running();
    health.add('road', () => Promise.resolve({ ok: false, open: true }));
    expect(await health.report()).toMatchObject({
      status: 'not_ready',
      dependencies: { road: { ok: false, open: true, required: true } },
    });
  });

  it('shows no credentials of a failed check', async () => {
    const health = running();
    health.add('nats', away);
    expect(JSON.stringify(await health.report())).not.toContain('hunter2');
  });

  it('waits at most a second for a check', async () => {
    const health = running();
    health.add('slow', () => new Promise(() => undefined));
    const report = health.report();
    await vi.advanceTimersByTimeAsync(1_001);
    expect(await report).toMatchObject({ dependencies: { slow: { ok: false, error: 'no answer within 1000 ms' } } });
  });

  it('asks once for many who ask at the same time, and again later', async () => {
    const health = running();
    const check = vi.fn<() => Promise<object>>(well);
    health.add('postgres', check as () => ReturnType<typeof well>);
    await Promise.all([health.report(), health.report()]);
    expect(check).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(300);
    await health.report();
    expect(check).toHaveBeenCalledTimes(2);
  });
});
