import { type ChangeView, commands, monitorSpec, requests } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { carryOut, startSystem, type System } from './system.ts';

let system: System;
const ada = { tokenId: newId(), actor: 'ada', route: 'PATCH /v1/monitors/{id}' };
const spec = monitorSpec.parse({
  kind: 'http',
  name: 'site',
  interval: '10s',
  settings: { url: 'http://127.0.0.1:9/', headers: { 'x-secret': 'tells-nobody' } },
});

beforeAll(async () => {
  system = await startSystem();
});

async function changes(query: object): Promise<ChangeView[]> {
  const { items } = await system.messaging.request(requests.changesOfMonitors, { limit: 100, ...query });
  return items;
}

describe('the record of changes', () => {
  it('tells of a monitor by which token it was made, changed and deleted, and never with which values', async () => {
    const { id } = await carryOut(system.messaging, commands.monitorsCreate, { spec }, ada);
    const headers = { 'x-secret': 'nor-this' };
    const patch = { name: 'renamed', settings: { headers } };
    await carryOut(system.messaging, commands.monitorsPatch, { id, patch }, ada);
    await carryOut(system.messaging, commands.monitorsDelete, { id }, ada);
    const told = await changes({ kind: 'monitor', resourceId: id });
    const token = { id: ada.tokenId, name: 'ada' };
    const same = { kind: 'monitor', resourceId: id, outcome: 'done', token, route: ada.route };
    expect(told).toMatchObject([
      { ...same, revision: 3 },
      { ...same, revision: 2, fields: ['/name', '/settings/headers/x-secret'] },
      { ...same, revision: 1 },
    ]);
    expect(JSON.stringify(told)).not.toMatch(/tells-nobody|nor-this/);
    expect((await changes({ tokenId: ada.tokenId })).length).toBe(3);
  });

  it('tells of an operation once, however often it is asked for, and of its refusal', async () => {
    const o = { ...ada, tokenId: newId(), operationId: newId(), requestHash: 'one' };
    const asks = Array.from({ length: 4 }, (_, n) =>
      carryOut(
        system.messaging,
        commands.monitorsDelete,
        { id: ada.tokenId },
        { ...o, requestHash: n < 3 ? 'one' : 'b' },
      ),
    );
    expect((await Promise.allSettled(asks)).every(({ status }) => status === 'rejected')).toBe(true);
    expect(await changes({ tokenId: o.tokenId })).toMatchObject([
      { operationId: o.operationId, outcome: 'refused', code: 'not_found', resourceId: ada.tokenId },
    ]);
  });

  it('tells of channels and tokens too, and of the first token, which nobody asked for', async () => {
    const by = { ...ada, tokenId: newId() };
    const hook = { kind: 'webhook' as const, name: 'hook', settings: { url: 'http://127.0.0.1:9/', secret: 's3cret' } };
    const channel = await carryOut(system.messaging, commands.channelsCreate, { spec: hook }, by);
    const replaced = { id: channel.id, spec: { ...hook, name: 'other' } };
    await carryOut(system.messaging, commands.channelsReplace, replaced, by);
    const tokenSpec = { name: 'ci', role: 'viewer' as const };
    const token = await carryOut(system.messaging, commands.tokensCreate, { spec: tokenSpec }, by);
    expect(await changes({ tokenId: by.tokenId })).toMatchObject([
      { kind: 'token', resourceId: token.id },
      { kind: 'channel', resourceId: channel.id, revision: 2, fields: expect.arrayContaining(['/name']) as unknown },
      { kind: 'channel', resourceId: channel.id, revision: 1 },
    ]);
    const [first] = (await changes({ kind: 'token' })).slice(-1);
    expect(first).toMatchObject({ kind: 'token', outcome: 'done' });
    expect(first?.token).toBeUndefined();
    expect(JSON.stringify(await changes({}))).not.toMatch(/s3cret|sealed:|tsn_/);
  });
});
