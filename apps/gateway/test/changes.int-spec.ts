import { commands, HIDDEN } from '@tocsin/contracts';
import { idFrom, isSealed, newId, openSecret } from '@tocsin/core';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { operationId } from '../src/service-client/operation-id.ts';
import { anHttpMonitor, Stack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
});

const create = (o: { headers?: Record<string, string>; more?: Record<string, unknown> } = {}) =>
  stack.ask('POST', '/v1/monitors', { json: anHttpMonitor({}, o.more), headers: o.headers ?? {} });

describe('a monitor', () => {
  it('is created, with its address and its ETag', async () => {
    const made = await create();
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/v1/monitors/${made.body.id}`);
    expect(made.headers.get('etag')).toBe('"1"');
    const read = await stack.ask('GET', `/v1/monitors/${made.body.id}`);
    expect(read.body).toEqual(made.body);
    expect(read.headers.get('etag')).toBe('"1"');
  });

  it('has one identifier, in upper case too: in paths, bodies and filters', async () => {
    const channel = newId();
    const made = await create({ more: { channels: [channel.toUpperCase()] } });
    expect(made.body.spec.channels).toEqual([channel]);
    const upper = String(made.body.id).toUpperCase();
    const read = await stack.ask('GET', `/v1/monitors/${upper}`, { headers: { 'if-none-match': '"1"' } });
    expect(read.status).toBe(304);
    expect((await stack.ask('GET', `/v1/states?monitorId=${upper}`)).body.items[0].monitorId).toBe(made.body.id);
    expect((await stack.ask('DELETE', `/v1/monitors/${upper}`)).status).toBe(204);
  });

  it('that has not changed is not sent again: 304', async () => {
    const { body } = await create();
    const same = await stack.ask('GET', `/v1/monitors/${body.id}`, { headers: { 'if-none-match': '"1"' } });
    expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', '"1"']);
    expect((await stack.ask('GET', `/v1/monitors/${body.id}`, { headers: { 'if-none-match': '"9"' } })).status).toBe(
      200,
    );
  });

  it('is changed only where its ETag still holds: 412 else', async () => {
    const { body } = await create();
    const path = `/v1/monitors/${body.id}`;
    const patch = (etag: string) =>
      stack.ask('PATCH', path, {
        raw: '{"description":"new"}',
        headers: { 'content-type': 'application/merge-patch+json', 'if-match': etag },
      });
    const changed = await patch('"1"');
    expect([changed.status, changed.headers.get('etag'), changed.body.spec.description]).toEqual([200, '"2"', 'new']);
    expect(await patch('"1"')).toMatchObject({ status: 412, body: { code: 'stale' } });
    expect(await stack.ask('DELETE', path, { headers: { 'if-match': '"1"' } })).toMatchObject({ status: 412 });
    const replaced = await stack.ask('PUT', path, {
      json: anHttpMonitor({}, { name: 'other' }),
      headers: { 'if-match': '"2"' },
    });
    expect([replaced.status, replaced.body.revision, replaced.body.spec.name]).toEqual([200, 3, 'other']);
    expect((await stack.ask('DELETE', path, { headers: { 'if-match': '"3"' } })).status).toBe(204);
    expect((await stack.ask('GET', path)).status).toBe(404);
  });

  it('is paused and resumed', async () => {
    const { body } = await create();
    expect((await stack.ask('POST', `/v1/monitors/${body.id}/pause`)).body.spec.paused).toBe(true);
    expect((await stack.ask('POST', `/v1/monitors/${body.id}/resume`, { json: {} })).body.spec.paused).toBe(false);
  });

  it('is listed with its state, and without it while the read side is away', async () => {
    const { body } = await create();
    const listed = async () => {
      const { body: list } = await stack.ask('GET', '/v1/monitors');
      return list.items.find((one: { id: string }) => one.id === body.id);
    };
    expect((await listed()).state).toMatchObject({ monitorId: body.id, state: 'up' });
    stack.statusAway = true;
    const another = await create();
    const list = await stack.ask('GET', '/v1/monitors');
    stack.statusAway = false;
    const shown = list.body.items.find((one: { id: string }) => one.id === another.body.id);
    expect([list.status, shown.state]).toEqual([200, undefined]);
  });
});

/** The list of monitors, once it has states: they may have been away a moment ago. */
const listedWithStates = () =>
  until(
    async () => {
      const list = await stack.ask('GET', '/v1/monitors');
      return list.body.items[0].state && list;
    },
    { what: 'a list with states' },
  );

describe('an answer from a cache', () => {
  it('says of monitors how old their states are, where those are older', async () => {
    await create();
    const { headers } = await listedWithStates();
    expect([headers.get('age'), headers.get('tocsin-stale')]).toEqual(['2', 'true']);
  });

  it('says of monitors that their states are out of date, where those are kept because there are no newer ones', async () => {
    await create();
    stack.statesAge = { ageMs: 0, stale: false };
    expect((await listedWithStates()).headers.get('tocsin-stale')).toBeNull();
    stack.statusAway = true;
    try {
      const stale = await until(async () => {
        const list = await listedWithStates();
        return list.headers.has('tocsin-stale') && list;
      });
      expect(Number(stale.headers.get('age'))).toBeGreaterThanOrEqual(1);
    } finally {
      stack.statusAway = false;
      stack.statesAge = { ageMs: 2_500, stale: true };
    }
  });

  it('says its age, and that it may be out of date', async () => {
    const { body } = await create();
    const states = await stack.ask('GET', `/v1/states?monitorId=${body.id}`);
    expect([states.headers.get('age'), states.headers.get('tocsin-stale')]).toEqual(['2', 'true']);
    expect(states.body.items[0].monitorId).toBe(body.id);
  });

  it('says so of a list too, in headers and not in the page', async () => {
    const { headers, body } = await stack.ask('GET', '/v1/incidents');
    expect([headers.get('age'), headers.get('tocsin-stale')]).toEqual(['3', 'true']);
    expect(body).toEqual({ items: [], next: 'n' });
  });
});

describe('an Idempotency-Key', () => {
  it('with another If-Match is another request: 422, and not what the first was answered', async () => {
    const { body } = await create();
    const rename = (name: string, key: string, etag?: string) =>
      stack.ask('PUT', `/v1/monitors/${body.id}`, {
        json: anHttpMonitor({}, { name }),
        headers: { 'idempotency-key': key, ...(etag === undefined ? {} : { 'if-match': etag }) },
      });
    const first = await rename('one', 'if-match-1', '"7"');
    expect(first).toMatchObject({ status: 412, body: { code: 'stale' } });
    expect(await rename('one', 'if-match-1', '"7"')).toMatchObject({ status: 412 });
    expect(await rename('one', 'if-match-1', '"1"')).toMatchObject({ status: 422, body: { code: 'key_reused' } });
    expect(await rename('one', 'if-match-1')).toMatchObject({ status: 422 });
    expect(await rename('one', 'if-match-2', '"1"')).toMatchObject({ status: 200 });
  });

  it('makes the same request one change, answered alike', async () => {
    const headers = { 'idempotency-key': 'same-1' };
    const first = await create({ headers });
    const again = await create({ headers });
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    const carried = stack.owners.monitors.seen.filter(
      (one) => one.ctx.operationId === stack.owners.monitors.last('monitors-create').ctx.operationId,
    );
    expect(carried).toHaveLength(1);
  });

  it('of requests that race makes one change', async () => {
    const headers = { 'idempotency-key': 'race-1' };
    stack.delayMs = 100;
    const replies = await Promise.all([create({ headers }), create({ headers }), create({ headers })]);
    stack.delayMs = 0;
    expect(new Set(replies.map((one) => one.body.id)).size).toBe(1);
  });

  it('used with another body is refused: 422, and nothing changes', async () => {
    const headers = { 'idempotency-key': 'other-1' };
    expect((await create({ headers })).status).toBe(201);
    const count = stack.monitors.all.size;
    const reused = await create({ headers, more: { name: 'another' } });
    expect([reused.status, reused.body.code]).toEqual([422, 'key_reused']);
    expect(stack.monitors.all.size).toBe(count);
  });

  it('of a request with identifiers in upper case, or a slash at its end, is that of the same request', async () => {
    const { body } = await create();
    const channel = newId();
    const patch = (path: string, id: string) =>
      stack.ask('PATCH', path, {
        json: { channels: [id] },
        headers: { 'idempotency-key': 'case-1', 'if-match': '"1"' },
      });
    const first = await patch(`/v1/monitors/${body.id}`, channel);
    expect(first).toMatchObject({ status: 200, body: { revision: 2 }, headers: expect.anything() as unknown });
    for (const path of [`/v1/monitors/${body.id.toUpperCase()}`, `/v1/monitors/${body.id}/`]) {
      const again = await patch(path, channel.toUpperCase());
      expect([again.status, again.body, again.headers.get('etag')]).toEqual([200, first.body, '"2"']);
    }
  });

  it('belongs to its token', async () => {
    const headers = { 'idempotency-key': 'mine' };
    const mine = await create({ headers });
    const theirs = await stack.ask('POST', '/v1/monitors', { as: 'editor', json: anHttpMonitor(), headers });
    expect(theirs.status).toBe(201);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });
});

describe('a change that takes longer than its caller waits', () => {
  it('is 202 with the address of its operation, which says what came of it', async () => {
    stack.delayMs = 1_500;
    const late = await create({ headers: { prefer: 'wait=1' } });
    stack.delayMs = 0;
    expect(late.status).toBe(202);
    const location = late.headers.get('location')!;
    expect(location).toBe(`/v1/operations/${late.body.operationId}`);
    const ended = await until(
      async () => {
        const { body } = await stack.ask('GET', location);
        return body.status === 'done' && body;
      },
      { what: 'the operation to end' },
    );
    expect(stack.monitors.all.has(ended.result.id)).toBe(true);
  });

  it('is accepted while its owner is away, and pending until somebody carries it out', async () => {
    // Nobody serves the notifier's commands here.
    const { body: channel } = await stack.ask('POST', '/v1/channels', {
      json: { kind: 'webhook', name: 'hook', settings: { url: 'https://hook.example/' } },
    });
    const test = await stack.ask('POST', `/v1/channels/${channel.id}/test`, { headers: { prefer: 'wait=1' } });
    expect(test.status).toBe(202);
    const operation = await stack.ask('GET', test.headers.get('location')!);
    expect(operation.body).toEqual({ id: test.body.operationId, status: 'pending' });
  });

  it('that was refused says why, as a problem', async () => {
    const { monitors } = stack.owners;
    const id = operationId(stack.secret, idFrom('admin'));
    monitors.operations.set(id, {
      hash: '',
      ended: true,
      error: { code: 'conflict', message: 'it is in use' },
    });
    const { body } = await stack.ask('GET', `/v1/operations/${id}`);
    expect(body).toMatchObject({ status: 'failed', error: { status: 409, code: 'conflict', detail: 'it is in use' } });
  });

  it('is not told as another request of its key by an owner of the version before, which does not say whose it is', async () => {
    const id = operationId(stack.secret, idFrom('admin'));
    stack.owners.monitors.operations.set(id, { hash: '', ended: true, result: { of: 'the first request' } });
    const other = await stack.ask('GET', `/v1/operations/${id}.${'b'.repeat(16)}`);
    expect([other.status, other.body.code]).toEqual([503, 'unavailable']);
  });
});

describe('a read that nobody answers', () => {
  it('is 503 or 504 with Retry-After', async () => {
    const reply = await stack.ask('GET', '/v1/summary', { headers: { prefer: 'wait=1' } });
    expect([503, 504]).toContain(reply.status);
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(reply.body.retry).toBe(true);
  });
});

describe('secrets', () => {
  const auth = { type: 'basic', username: 'ann', password: 'correct horse' };
  const secretive = anHttpMonitor({ auth, headers: { 'X-Api-Key': 'battery staple' } });

  it('are sealed before they leave the gateway, and never come back', async () => {
    const made = await stack.ask('POST', '/v1/monitors', { json: secretive });
    const { settings } = (
      stack.owners.monitors.last(commands.monitorsCreate.name).input as {
        spec: { settings: { auth: { password: string } } };
      }
    ).spec;
    expect(isSealed(settings.auth.password)).toBe(true);
    expect(openSecret(stack.secret, settings.auth.password)).toBe('correct horse');
    const path = `/v1/monitors/${made.body.id}`;
    for (const as of ['admin', 'editor', 'viewer'] as const) {
      for (const reply of [await stack.ask('GET', path, { as }), await stack.ask('GET', '/v1/monitors', { as })]) {
        expect(reply.text).not.toMatch(/correct horse|battery staple|sealed:/);
        expect(reply.text).toContain(HIDDEN);
      }
    }
  });

  it('are in no operation and no dead letter that is shown', async () => {
    const made = await stack.ask('POST', '/v1/monitors', {
      json: secretive,
      headers: { 'idempotency-key': 'secretive' },
    });
    expect(made.status).toBe(201);
    const { operationId } = stack.owners.monitors.last(commands.monitorsCreate.name).ctx;
    const operation = await stack.ask('GET', `/v1/operations/${operationId}`);
    expect(operation.body.status).toBe('done');
    expect(operation.text).not.toMatch(/correct horse|battery staple|sealed:/);
  });

  it('of an API token are in the answer to its creation, also if asked again, and in its operation, for who asked alone', async () => {
    const create = () =>
      stack.ask('POST', '/v1/tokens', {
        json: { name: 'ci', role: 'viewer' },
        headers: { 'idempotency-key': 'token' },
      });
    const made = await create();
    expect([made.status, made.body.secret]).toEqual([201, expect.stringMatching(/^tsn_[\w-]{43}$/)]);
    expect((await create()).body).toEqual(made.body);
    const { operationId } = stack.owners.monitors.last(commands.tokensCreate.name).ctx;
    for (const as of ['editor', 'viewer'] as const) {
      const refused = await stack.ask('GET', `/v1/operations/${operationId}`, { as });
      expect([refused.status, refused.body.code]).toEqual([404, 'not_found']);
    }
    expect((await stack.ask('GET', `/v1/operations/${operationId}`)).body.result).toEqual(made.body);
  });
});
