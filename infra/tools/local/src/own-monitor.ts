import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS = 20;
/** The monitor is found again by this tag, whatever it is called and watches by then. */
const TAG = 'tocsin:own-gateway';
/** Refusals that pass: the token is not stored yet, the request came too late or too soon. */
const PASSING = [401, 408, 429];

interface Monitor {
  id: string;
  spec: { settings: { url?: string } };
}

/** A refusal that asking again does not change. */
class Refused extends Error {}

/**
 * Sees to it that there is one monitor of Tocsin's own gateway, at the address that it has now. A monitor that somebody
 * deleted stays deleted, as long as the record of its creation is kept.
 * @throws with the gateway's answer when it refuses, or does not take it in about 10 s.
 */
export async function addOwnMonitor(gateway: string, token: string): Promise<void> {
  let last: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await ensure(gateway, token);
    } catch (error) {
      last = error;
      if (error instanceof Refused) break;
    }
    await delay(500);
  }
  const reason = last instanceof Error ? last.message : String(last);
  throw new Error(`the gateway did not take the monitor of itself: ${reason}`, { cause: last });
}

async function ensure(gateway: string, token: string): Promise<void> {
  const url = `${gateway}/health/live`;
  const ask = (method: string, path: string, body?: object, key?: string) =>
    request(`${gateway}${path}`, { method, token, ...(body ? { body } : {}), ...(key ? { key } : {}) });
  const { items } = (await ask('GET', `/v1/monitors?tag=${encodeURIComponent(TAG)}&limit=1`)) as { items: Monitor[] };
  const [own] = items;
  if (!own) await ask('POST', '/v1/monitors', ownMonitor(url), 'tocsin-own-gateway');
  else if (own.spec.settings.url !== url) await ask('PATCH', `/v1/monitors/${own.id}`, { settings: { url } });
}

function ownMonitor(url: string): object {
  return {
    kind: 'http',
    name: 'Tocsin gateway',
    description: "This Tocsin's own gateway, added at its first start.",
    tags: ['tocsin', TAG],
    interval: '10s',
    timeout: '5s',
    settings: { url },
  };
}

async function request(
  url: string,
  o: { method: string; token: string; body?: object; key?: string },
): Promise<unknown> {
  const response = await fetch(url, {
    method: o.method,
    headers: {
      authorization: `Bearer ${o.token}`,
      ...(o.body ? { 'content-type': 'application/json' } : {}),
      ...(o.key ? { 'idempotency-key': o.key } : {}),
    },
    ...(o.body ? { body: JSON.stringify(o.body) } : {}),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  // 422: the key was used for a gateway at another address. The monitor made then is gone: somebody deleted it.
  if (response.status === 422 && o.key) return undefined;
  const answer = `${response.status} ${text.slice(0, 500)}`;
  throw response.status < 500 && !PASSING.includes(response.status) ? new Refused(answer) : new Error(answer);
}
