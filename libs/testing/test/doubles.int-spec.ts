import { request } from 'node:https';
import { describe, expect, it } from 'vitest';
import { atTheEnd, Sink, Target, type CertificateKind } from '@tocsin/testing';

async function aTarget(tls?: CertificateKind): Promise<Target> {
  const target = await Target.start(tls ? { tls } : {});
  atTheEnd(() => target.stop());
  return target;
}

function secureStatus(target: Target): Promise<number | string> {
  return new Promise((resolve) => {
    const outgoing = request(target.url, { ca: target.tls?.ca ?? '' }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    outgoing.end();
  });
}

describe('Target', () => {
  it('counts every hit and answers as it was last told', async () => {
    const target = await aTarget();
    expect(await (await fetch(`${target.url}/a`)).text()).toBe('ok');
    target.answer(503, { body: 'broken', headers: { 'retry-after': '3' } });
    const answer = await fetch(`${target.url}/b`, { method: 'POST' });
    expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([503, '3', 'broken']);
    expect(target.hits).toBe(2);
    expect(target.log.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /a', 'POST /b']);
  });

  it('can withhold its answer', async () => {
    const target = await aTarget();
    target.behave({ kind: 'silent' });
    await expect(fetch(target.url, { signal: AbortSignal.timeout(100) })).rejects.toThrow('timeout');
    expect(target.hits).toBe(1);
  });

  it('can send a body without end', async () => {
    const target = await aTarget();
    target.behave({ kind: 'endless' });
    const response = await fetch(target.url);
    const reader = response.body?.getReader();
    for (let chunk = 0; chunk < 5; chunk++) expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
  });

  it.each(['close-early', 'reset'] as const)('can break the connection (%s)', async (kind) => {
    const target = await aTarget();
    target.behave({ kind });
    await expect(fetch(target.url).then((response) => response.text())).rejects.toThrow(/terminated|fetch failed/);
  });

  it('can redirect for ever', async () => {
    const target = await aTarget();
    target.behave({ kind: 'redirect-loop' });
    await expect(fetch(target.url)).rejects.toMatchObject({ cause: { message: 'redirect count exceeded' } });
    expect(target.hits).toBeGreaterThan(10);
  });

  it.each([
    ['valid', 200],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['wrong-host', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ] as const)('with a certificate that is %s, a client that trusts it gets %s', async (kind, expected) => {
    expect(await secureStatus(await aTarget(kind))).toBe(expected);
  });
});

describe('Sink', () => {
  async function deliver(sink: Sink, key: string): Promise<number> {
    const headers = { 'idempotency-key': key, 'content-type': 'application/json' };
    return (await fetch(sink.url, { method: 'POST', headers, body: '{"n":1}' })).status;
  }

  it('counts what it accepted by Idempotency-Key, refusals left aside, and names the doubled', async () => {
    const sink = await Sink.start();
    atTheEnd(() => sink.stop());
    sink.answerNext({ status: 503 });
    expect([await deliver(sink, 'a'), await deliver(sink, 'a'), await deliver(sink, 'b')]).toEqual([503, 200, 200]);
    expect(sink.doubled()).toEqual([]);
    await deliver(sink, 'b');
    expect(sink.doubled()).toEqual(['b']);
    expect(sink.arrivals[0]).toMatchObject({ key: 'a', body: { n: 1 }, raw: '{"n":1}', answered: 503 });
  });
});
