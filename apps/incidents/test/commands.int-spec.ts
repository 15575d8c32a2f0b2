import { newId } from '@tocsin/core';
import { aMonitor, aResult } from '@tocsin/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { bench, type Instance, TestClock } from './bench.ts';

describe('what people do with incidents', () => {
  const clock = new TestClock();
  let one: Instance;
  let other: Instance;

  beforeAll(async () => {
    const { instance } = await bench(clock);
    one = instance();
    other = instance();
  });

  async function anIncident(): Promise<{ id: string; monitorId: string }> {
    const monitor = aMonitor({ createdAt: clock.at - 60_000, spec: { confirm: false } });
    await one.config(monitor);
    await one.results(aResult({ monitorId: monitor.id, down: 'status' }));
    const [incident] = await one.incidentsOf(monitor);
    return { id: String(incident?.['id']), monitorId: monitor.id };
  }

  const operation = () => ({ operationId: newId(), requestHash: 'a', actor: 'ada' });

  it('an acknowledgement is recorded once and announced once, however often it is asked for', async () => {
    const { id, monitorId } = await anIncident();
    const asked = operation();
    const [first, second] = await Promise.all([
      one.commands.acknowledge({ id, note: 'on it' }, asked),
      other.commands.acknowledge({ id, note: 'on it' }, asked),
    ]);
    expect(second).toEqual(first);
    expect(first).toMatchObject({ status: 'acknowledged', acknowledgedBy: 'ada' });
    expect(first.timeline?.map(({ what, by }) => [what, by])).toEqual([
      ['opened', undefined],
      ['acknowledged', 'ada'],
    ]);
    await one.commands.acknowledge({ id }, operation());
    const events = await one.events({ id: monitorId });
    expect(events.filter((event) => event === 'acknowledged')).toHaveLength(1);
    expect(await one.operations.find(asked.operationId)).toMatchObject({
      status: 'done',
      result: { id },
      requestHash: 'a',
    });
  });

  it('the same identifier with another request is refused', async () => {
    const { id } = await anIncident();
    const asked = operation();
    await one.commands.note({ id, text: 'a' }, asked);
    await expect(one.commands.note({ id, text: 'b' }, { ...asked, requestHash: 'b' })).rejects.toMatchObject({
      code: 'key_reused',
    });
  });

  it('a refusal is remembered as what came of the operation', async () => {
    const asked = operation();
    await expect(one.commands.acknowledge({ id: newId() }, asked)).rejects.toMatchObject({ code: 'not_found' });
    expect(await one.operations.find(asked.operationId)).toMatchObject({
      status: 'failed',
      error: { code: 'not_found' },
      requestHash: 'a',
    });
    expect(await one.operations.find(newId())).toEqual({ status: 'unknown' });
  });

  it('what people did is told once each, with their token, and refusals too', async () => {
    const { id } = await anIncident();
    const asked = { ...operation(), tokenId: newId(), route: 'POST /v1/incidents/{id}/acknowledge' };
    await Promise.all([one.commands.acknowledge({ id }, asked), other.commands.acknowledge({ id }, asked)]);
    const refused = { ...asked, operationId: newId() };
    const absent = newId();
    await expect(one.commands.note({ id: absent, text: 'a' }, refused)).rejects.toThrow('no incident');
    const told = await one.operations.changes({ tokenId: asked.tokenId, limit: 10 });
    const [{ at: _at, id: _id, ...first }] = told.filter(({ outcome }) => outcome === 'done') as [(typeof told)[0]];
    expect(first).toEqual({
      operationId: asked.operationId,
      token: { id: asked.tokenId, name: 'ada' },
      route: asked.route,
      kind: 'incident',
      resourceId: id,
      outcome: 'done',
    });
    expect(told.map(({ outcome, code }) => code ?? outcome).toSorted()).toEqual(['done', 'not_found']);
  });

  it('a resolved incident can be noted on and not acknowledged', async () => {
    const { id, monitorId } = await anIncident();
    await one.config({ id: monitorId, revision: 2, deleted: true });
    await expect(one.commands.acknowledge({ id }, operation())).rejects.toMatchObject({ code: 'conflict' });
    const noted = await one.commands.note({ id, text: 'it was the disk' }, operation());
    expect(noted.timeline?.at(-1)).toMatchObject({ what: 'note', by: 'ada', text: 'it was the disk' });
  });
});
