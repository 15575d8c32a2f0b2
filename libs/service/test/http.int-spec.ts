import { connect } from 'node:net';
import { natsServer } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildToy, endToys, ToyProcess } from './toy.process.ts';

let toy: ToyProcess;
beforeAll(buildToy);
beforeAll(async () => {
  const nats = await natsServer();
  toy = new ToyProcess({ TOCSIN_NATS_URLS: nats.url });
  await toy.untilStatus(200);
});
afterAll(endToys);

const post = (body: string, type = 'application/json') =>
  toy.get('/body', { method: 'POST', headers: { 'content-type': type }, body });

/** Sends bytes as they are and returns all that comes back. */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(await toy.url()).port), '127.0.0.1');
  socket.write(bytes);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

describe('errors over HTTP', () => {
  it('are problems that name the field', async () => {
    const { status, headers, body } = await toy.get('/refused');
    expect(status).toBe(400);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: 'urn:tocsin:problem:invalid',
      title: 'The request is not valid',
      status: 400,
      detail: 'The monitor is not valid.',
      code: 'invalid',
      errors: [{ path: '/interval', message: 'must be at least 1 s' }],
    });
  });

  it('say when to come back', async () => {
    const { status, headers } = await toy.get('/busy');
    expect([status, headers.get('retry-after')]).toEqual([429, '3']);
  });

  it('say nothing of a defect, which is in the log', async () => {
    const { status, body } = await toy.get('/defect');
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('hunter2');
    expect(await toy.untilLogged('a request failed unexpectedly')).toMatchObject({ level: 'error' });
  });

  it.each([
    ['malformed JSON', () => post('{"a":'), 400],
    ['a body of another type', () => post('<a/>', 'text/xml'), 415],
    ['a body that is too large', () => post(JSON.stringify('x'.repeat(1_100_000))), 413],
    ['a route that does not exist', () => toy.get('/nowhere'), 404],
  ])('refuse %s', async (_, request, expected) => {
    const { status, headers, body } = await request();
    expect(status).toBe(expected);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ status: expected, detail: expect.any(String) as string });
  });

  it("let the service's own filter go first", async () => {
    expect(await toy.get('/range')).toMatchObject({ status: 418, body: { toy: true } });
  });

  it.each([
    ['what is not HTTP', 'hello\r\n\r\n', 400],
    ['headers that are too large', `GET / HTTP/1.1\r\nhost: h\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['two lengths of one body', 'POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400],
  ])('refuse %s before it reaches the service', async (_, bytes, expected) => {
    const answer = await sendRaw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${expected} `));
    expect(answer).toContain('application/problem+json');
    const body: unknown = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
    expect(body).toMatchObject({ status: expected, code: expect.any(String) as string, retry: false });
  });

  it('time requests by route', async () => {
    const text = await fetch(`${await toy.url()}/metrics`).then((response) => response.text());
    expect(text).toMatch(/tocsin_http_request_seconds_count\{method="GET",route="\/refused",status="400"\} \d/);
  });
});
