import { systemClock } from '@tocsin/core';
import { describe, expect, test, vi } from 'vitest';
import type { CheckContext } from './check.ts';
import { isOwnFailure } from './failure.ts';
import { runCheck, supported } from './run-check.ts';

const context: CheckContext = {
  timeoutMs: 1_000,
  clock: systemClock,
  targets: { refusal: () => undefined },
  openSecret: (sealed) => sealed,
};
const target = supported({ kind: 'tcp', settings: { host: '127.0.0.1', port: 1 } })!;
const boom = (): never => {
  throw new RangeError('it was told a secret');
};

describe('an exception that no check foresaw', () => {
  test.each([
    ['in the midst of it', { targets: { refusal: boom } }],
    ['before it began', { clock: { ...systemClock, monotonic: boom } }],
  ])('%s is a failure of its own, is told of, and is not handed on', async (_when, broken) => {
    const onDefect = vi.fn<(error: unknown) => void>();
    const finding = await runCheck(target, { ...context, ...broken, onDefect });
    expect(finding).toMatchObject({ verdict: 'down', reason: 'internal' });
    expect(finding.message).toBe(
      'internal: a defect of Tocsin ended the check (RangeError); the log of the prober says more',
    );
    expect(isOwnFailure(finding)).toBe(false);
    expect(onDefect).toHaveBeenCalledExactlyOnceWith(expect.any(RangeError));
  });
});

describe('what this version can check', () => {
  test('is a kind that it knows, with settings that it knows; what was added to them is left out', () => {
    const settings = { host: 'a.example', port: 25, banner: 'added later' };
    expect(supported({ kind: 'tcp', settings })).toMatchObject({
      kind: 'tcp',
      settings: { host: 'a.example', port: 25 },
    });
    expect(supported({ kind: 'icmp', settings })).toBeUndefined();
    expect(supported({ kind: 'tcp', settings: { host: 'a.example', port: 'smtp' } })).toBeUndefined();
  });
});
