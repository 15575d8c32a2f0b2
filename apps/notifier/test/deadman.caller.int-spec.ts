import { atTheEnd, Target } from '@tocsin/testing';
import { beforeEach, expect, it } from 'vitest';
import { DeadmanCaller } from '../src/deadman/deadman.caller.ts';
import type { NotifierConfig } from '../src/notifier.config.ts';

let target: Target;
let caller: DeadmanCaller;

beforeEach(async () => {
  target = await Target.start();
  atTheEnd(() => target.stop());
  const deadman = { url: `${target.url}/k3y`, everyMs: 10_000 };
  caller = new DeadmanCaller({ deadman } as NotifierConfig);
});

const always = (): boolean => true;

it('is one POST without a body while it is answered with 2xx', async () => {
  target.answer(204);
  expect(await caller.call(always)).toBeUndefined();
  expect(target.log).toMatchObject([{ method: 'POST', path: '/k3y', headers: { 'content-length': '0' } }]);
});

it('is tried three times, and what went wrong is said without the address', async () => {
  target.answer(503);
  expect(await caller.call(always)).toBe('status 503');
  expect(target.hits).toBe(3);
  await target.stop();
  expect(await caller.call(always)).toBe('connect');
});

it('a redirect is not followed, and is no success', async () => {
  target.behave({ kind: 'redirect-loop' });
  expect(await caller.call(always)).toBe('status 302');
});

it('an answer that says much counts, and one that never ends does', async () => {
  target.answer(200, { body: 'x'.repeat(100_000) });
  expect(await caller.call(always)).toBeUndefined();
  target.behave({ kind: 'endless' });
  expect(await caller.call(always)).toBeUndefined();
  target.behave({ kind: 'close-early' });
  expect(await caller.call(always)).toBeUndefined();
});

it('is not made once somebody else may make it', async () => {
  expect(await caller.call(() => false)).toBe('somebody else calls now');
  expect(target.hits).toBe(0);
  target.answer(500);
  const answers = [true, false];
  expect(await caller.call(() => answers.shift() === true)).toBe('status 500');
  expect(target.hits).toBe(1);
});
