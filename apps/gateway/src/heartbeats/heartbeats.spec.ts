import { describe, expect, it } from 'vitest';
import { signalOf } from './heartbeats.service.ts';

describe('the signal of a heartbeat', () => {
  it.each([
    [undefined, { signal: 'success' }],
    ['start', { signal: 'start' }],
    ['fail', { signal: 'fail' }],
    ['0', { signal: 'success', exitCode: 0 }],
    ['3', { signal: 'fail', exitCode: 3 }],
  ])('%s → %j', (text, signal) => {
    expect(signalOf(text)).toEqual(signal);
  });
});
