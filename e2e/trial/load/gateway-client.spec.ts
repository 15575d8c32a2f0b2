import { atTheEnd, Target } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import { GatewayClient, type Patience } from './gateway-client.ts';

const write = { method: 'POST', path: '/v1/channels', body: { a: 1 }, key: 'the key' } as const;

/** Waits for an answer for as long as a busy machine may need to give one. */
const PATIENT: Patience = { attemptMs: 5_000, totalMs: 20_000 };
/** Gives up soon, for gateways that say nothing. */
const IMPATIENT: Patience = { attemptMs: 100, totalMs: 600 };

async function twoGateways(patience = PATIENT) {
  const gateways = await Promise.all([Target.start(), Target.start()]);
  atTheEnd(async () => void (await Promise.all(gateways.map((gateway) => gateway.stop()))));
  return { gateways, client: new GatewayClient(() => gateways.map(({ url }) => url), 'token', patience) };
}

describe('a client of both gateways', () => {
  it('sends what one gateway does not answer to the other, under the same key', async () => {
    const { gateways, client } = await twoGateways({ attemptMs: 1_000, totalMs: 20_000 });
    for (const behaviour of [{ kind: 'reset' }, { kind: 'silent' }, { kind: 'answer', status: 502 }] as const) {
      gateways[0]!.behave(behaviour);
      expect(await client.send(write, 0)).toMatchObject({ answer: 'ok', attempts: 2 });
    }
    const keys = gateways.flatMap(({ log }) => log.map(({ headers }) => headers['idempotency-key']));
    expect(new Set(keys)).toEqual(new Set(['the key']));
  });

  it('takes a 202 with an address for accepted, and says when an answer is stale', async () => {
    const { gateways, client } = await twoGateways();
    gateways[0]!.answer(202, { headers: { location: '/v1/operations/1' } });
    gateways[1]!.answer(200, { headers: { 'tocsin-stale': 'true' } });
    expect(await client.send(write, 0)).toMatchObject({ answer: 'accepted', operation: '/v1/operations/1' });
    expect(await client.send(write, 1)).toMatchObject({ answer: 'ok', stale: true });
  });

  it('fails at once with what no other attempt could change', async () => {
    const { gateways, client } = await twoGateways();
    gateways[0]!.answer(404);
    expect(await client.send(write, 0)).toMatchObject({ answer: 'failed', attempts: 1, status: 404 });
  });

  it('is refused when it is told to come back later than it waits', async () => {
    const { gateways, client } = await twoGateways();
    for (const gateway of gateways) gateway.answer(503, { headers: { 'retry-after': '30' } });
    expect(await client.send(write, 0)).toMatchObject({ answer: 'refused', attempts: 2, status: 503 });
  });

  it('fails when no gateway answers, after its patience and soon after it', async () => {
    const { gateways, client } = await twoGateways(IMPATIENT);
    for (const gateway of gateways) gateway.behave({ kind: 'silent' });
    const outcome = await client.send(write, 0);
    expect(outcome).toMatchObject({ answer: 'failed', status: 0 });
    expect(outcome.tookMs).toBeGreaterThan(400);
    expect(outcome.tookMs).toBeLessThan(5_000);
  });
});
