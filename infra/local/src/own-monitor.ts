import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS = 20;

/**
 * Adds a monitor of Tocsin's own gateway. Asked again with the same gateway it changes nothing (Idempotency-Key), so a
 * monitor that somebody deleted stays deleted.
 * @throws with the gateway's answer when it refuses, or does not take it in about 10 s.
 */
export async function addOwnMonitor(gateway: string, token: string): Promise<void> {
  const monitor = {
    kind: 'http',
    name: 'Tocsin gateway',
    description: "This Tocsin's own gateway, added at its first start.",
    tags: ['tocsin'],
    interval: '10s',
    timeout: '5s',
    settings: { url: `${gateway}/health/live` },
  };
  let last = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const response = await fetch(`${gateway}/v1/monitors`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'idempotency-key': `tocsin-own-gateway-${new URL(gateway).port}`,
        },
        body: JSON.stringify(monitor),
        signal: AbortSignal.timeout(10_000),
      });
      const body = await response.text();
      if (response.ok) return;
      last = `${response.status} ${body.slice(0, 500)}`;
      if (response.status < 500 && ![401, 408, 429].includes(response.status)) break;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await delay(500);
  }
  throw new Error(`the gateway did not take the monitor of itself: ${last}`);
}
