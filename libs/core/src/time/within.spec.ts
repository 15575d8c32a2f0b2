import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { within } from './within.ts';

const never = new Promise<string>(() => undefined);
const tooLate = (): never => {
  throw new Error('too late');
};

test('work that ends in time gives its value, and late is not called', async () => {
  const late = vi.fn<() => never>(tooLate);
  expect(await within(Promise.resolve('value'), 1_000, late)).toBe('value');
  expect(late).not.toHaveBeenCalled();
});

test('work that fails in time rejects with its own error', async () => {
  await expect(within(Promise.reject(new Error('broken')), 1_000, tooLate)).rejects.toThrow('broken');
});

test('late gives the value in place of work that does not end', async () => {
  expect(await within(never, 1, () => 'the last known')).toBe('the last known');
});

test('what late throws is the outcome of work that does not end', async () => {
  await expect(within(never, 1, tooLate)).rejects.toThrow('too late');
});

test('a failure that comes late is no unhandled rejection', async () => {
  const unhandled = vi.fn<() => void>();
  process.on('unhandledRejection', unhandled);
  let fail: () => void = () => undefined;
  const failing = new Promise<void>((_, reject) => (fail = () => reject(new Error('broken'))));
  await within(failing, 1, () => undefined);
  fail();
  await delay(1);
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

test('an answer that arrived while the process stood still counts as in time', async () => {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<string>((resolve) => {
    port1.once('message', () => resolve('answer'));
  });
  const outcome = within(answer, 20, tooLate);
  port2.postMessage('answer');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  expect(await outcome).toBe('answer');
  port1.close();
});
