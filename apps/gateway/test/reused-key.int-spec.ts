import { newId } from '@tocsin/core';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { anHttpMonitor, type Reply, Stack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
});

const keyed = (key: string, more: Record<string, string> = {}) => ({ 'idempotency-key': key, ...more });
const create = (key: string, name = 'first', more: Record<string, string> = {}) =>
  stack.ask('POST', '/v1/monitors', { json: anHttpMonitor({}, { name }), headers: keyed(key, more) });
const codes = (replies: readonly Reply[]) => replies.map(({ status, body }) => [status, body?.code]);
const REUSED = [422, 'key_reused'];
const channel = { kind: 'webhook', name: 'hook', settings: { url: 'https://hook.example/' } };

describe('another request under a used Idempotency-Key', () => {
  type Again = (first: { id: string; key: string }) => Promise<Reply>;
  it.each<[string, Again]>([
    ['another body', ({ key }) => create(key, 'other')],
    ['another method', ({ id, key }) => stack.ask('DELETE', `/v1/monitors/${id}`, { headers: keyed(key) })],
    ['another route', ({ id, key }) => stack.ask('POST', `/v1/monitors/${id}/pause`, { headers: keyed(key) })],
    ['another type', ({ key }) => stack.ask('POST', '/v1/channels', { json: channel, headers: keyed(key) })],
    [
      'a token, whose secret it would answer',
      ({ key }) => stack.ask('POST', '/v1/tokens', { json: { name: 'x', role: 'viewer' }, headers: keyed(key) }),
    ],
  ])('with %s is refused each time it is asked, one after the other and at once', async (name, ask) => {
    const key = `reused ${name}`.replaceAll(/[^a-z]/g, '-');
    const { body: first } = await create(key);
    const monitor = { id: String(first.id), key };
    const before = stack.owners.monitors.seen.length;
    const replies = [await ask(monitor), await ask(monitor), await ask(monitor)];
    replies.push(...(await Promise.all([ask(monitor), ask(monitor), ask(monitor)])));
    expect(codes(replies)).toEqual(replies.map(() => REUSED));
    expect(stack.owners.monitors.seen.length).toBe(before);
    expect((await stack.ask('GET', `/v1/monitors/${first.id}`)).body).toEqual(first);
    expect((await create(key)).body).toEqual(first);
  });

  it('is refused after the first was refused too', async () => {
    const gone = () => stack.ask('DELETE', `/v1/monitors/${newId()}`, { headers: keyed('refused-first') });
    expect((await gone()).status).toBe(404);
    expect(codes([await create('refused-first'), await create('refused-first')])).toEqual([REUSED, REUSED]);
  });

  it('is refused while the first is being carried out', async () => {
    stack.delayMs = 400;
    const running = create('in-flight');
    await until(() => stack.owners.monitors.seen.some(({ ctx }) => isRunning(ctx.operationId)));
    const others = await Promise.all([create('in-flight', 'b'), create('in-flight', 'b'), create('in-flight', 'c')]);
    others.push(await create('in-flight', 'b'));
    stack.delayMs = 0;
    expect(codes(others)).toEqual(others.map(() => REUSED));
    expect(await running).toMatchObject({ status: 201, body: { spec: { name: 'first' } } });
  });

  it('ends as refused in its own operation, and the first as done in its own', async () => {
    stack.delayMs = 1_200;
    const [first, other] = await Promise.all([
      create('late', 'first', { prefer: 'wait=1' }),
      until(() => stack.owners.monitors.seen.some(({ ctx }) => isRunning(ctx.operationId))).then(() =>
        create('late', 'other', { prefer: 'wait=1' }),
      ),
    ]);
    stack.delayMs = 0;
    expect([first.status, [202, 422]]).toEqual([202, expect.arrayContaining([other.status]) as unknown]);
    const ended = (path: string) =>
      until(async () => {
        const { body } = await stack.ask('GET', path);
        return body.status !== 'pending' && body;
      });
    const own = first.headers.get('location')!;
    expect(await ended(own)).toMatchObject({ status: 'done', result: { spec: { name: 'first' } } });
    const others = other.headers.get('location') ?? `${own.split('.')[0]}.${'0'.repeat(16)}`;
    expect(await ended(others)).toMatchObject({ status: 'failed', error: { status: 422, code: 'key_reused' } });
  });
});

function isRunning(operationId: string): boolean {
  return stack.owners.monitors.operations.get(operationId)?.ended === false;
}
