import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addOwnMonitor } from './own-monitor.ts';

interface Seen {
  asked: string;
  key: string | undefined;
  body: { tags?: string[]; settings?: { url: string } } | undefined;
}

let server: Server;
let gateway: string;
const seen: Seen[] = [];
/** What the gateway answers to a method, in turn; the last answer goes on. */
let answers: Record<string, [status: number, body: object][]>;

async function bodyOf(request: IncomingMessage): Promise<Seen['body']> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : (JSON.parse(text) as Seen['body']);
}

beforeEach(async () => {
  seen.length = 0;
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const key = request.headers['idempotency-key'] as string | undefined;
      seen.push({ asked: `${request.method} ${request.url}`, key, body });
      const queue = answers[request.method ?? ''] ?? [];
      const [status, answer] = (queue.length > 1 ? queue.shift() : queue[0]) ?? [500, {}];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const LOOK = 'GET /v1/monitors?tag=tocsin%3Aown-gateway&limit=1';
const at = (url: string) => ({ items: [{ id: 'm1', spec: { settings: { url } } }] });

describe('the monitor of the own gateway', () => {
  it('is made at the first start, once for any address', async () => {
    answers = { GET: [[200, { items: [] }]], POST: [[201, { id: 'm1' }]] };
    await addOwnMonitor(gateway, 'tsn_x');
    expect(seen.map(({ asked }) => asked)).toEqual([LOOK, 'POST /v1/monitors']);
    expect(seen[1]).toMatchObject({
      key: 'tocsin-own-gateway',
      body: { tags: ['tocsin', 'tocsin:own-gateway'], settings: { url: `${gateway}/health/live` } },
    });
  });

  it('is left as it is where it watches this address', async () => {
    answers = { GET: [[200, at(`${gateway}/health/live`)]] };
    await addOwnMonitor(gateway, 'tsn_x');
    expect(seen.map(({ asked }) => asked)).toEqual([LOOK]);
  });

  it('follows the gateway to another port, and is not made anew', async () => {
    answers = { GET: [[200, at('http://127.0.0.1:1/health/live')]], PATCH: [[200, { id: 'm1' }]] };
    await addOwnMonitor(gateway, 'tsn_x');
    expect(seen.map(({ asked }) => asked)).toEqual([LOOK, 'PATCH /v1/monitors/m1']);
    expect(seen[1]?.body).toEqual({ settings: { url: `${gateway}/health/live` } });
  });

  it('stays deleted', async () => {
    answers = { GET: [[200, { items: [] }]], POST: [[422, { code: 'key_reused' }]] };
    await addOwnMonitor(gateway, 'tsn_x');
    expect(seen).toHaveLength(2);
  });

  it('waits for a gateway that is not ready yet', async () => {
    answers = { GET: [[503, {}], [401, {}], [200, { items: [] }]], POST: [[202, { status: 'pending' }]] }; // prettier-ignore
    await addOwnMonitor(gateway, 'tsn_x');
    expect(seen.map(({ asked }) => asked)).toEqual([LOOK, LOOK, LOOK, 'POST /v1/monitors']);
  });

  it('gives up at once where it is refused, and says why', async () => {
    answers = { GET: [[403, { detail: 'needs the role' }]] };
    await expect(addOwnMonitor(gateway, 'tsn_x')).rejects.toThrow(
      /did not take the monitor of itself: 403 .*needs the role/,
    );
    expect(seen).toHaveLength(1);
  });
});
