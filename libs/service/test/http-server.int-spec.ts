import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { HttpServer } from '../src/http-server.ts';
import { Health } from '../src/health.ts';

const http = new HttpServer(new Health());
let port: number;

/** Refuses a body before it has arrived, as Fastify does when its length is too much. */
function tooLarge(response: ServerResponse): void {
  response.writeHead(413, { connection: 'close', 'content-length': 7 }).end('refused');
}

/** Answers with what was asked for, later than what comes behind it could be. */
function late(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/large') return tooLarge(response);
  request.resume();
  setTimeout(() => response.end(`answer to ${request.method} ${request.url}`), 50);
}

beforeAll(async () => {
  port = await http.listen('127.0.0.1', 0);
  http.serve(late);
  return () => http.close();
});

/** Sends bytes as they are and returns all that comes back until the other side closes. */
async function send(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  // A connection that stays open was not refused: what came by then is judged.
  socket.setTimeout(1_000, () => socket.destroy());
  socket.write(bytes);
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  await once(socket, 'close');
  return answer;
}

const get = (path: string, headers = 'host: h\r\n') => `GET ${path} HTTP/1.1\r\n${headers}\r\n`;
const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

function problemIn(answer: string): { head: string; body: Record<string, unknown> } {
  const at = answer.lastIndexOf('HTTP/1.1');
  const [head = '', body = ''] = answer.slice(at).split('\r\n\r\n');
  return { head, body: JSON.parse(body) as Record<string, unknown> };
}

describe('requests on one connection', () => {
  it('are answered in order before what follows them is refused', async () => {
    const answer = await send(`${get('/one')}${get('/two')}\u0001garbage\r\n\r\n`);
    expect(statuses(answer)).toEqual([200, 200, 400]);
    expect(answer.indexOf('answer to GET /one')).toBeLessThan(answer.indexOf('answer to GET /two'));
    expect(problemIn(answer).body).toMatchObject({ status: 400, code: 'invalid' });
  });

  it('are answered before a CONNECT is refused', async () => {
    const answer = await send(`${get('/one')}CONNECT h:443 HTTP/1.1\r\nhost: h:443\r\n\r\n`);
    expect(statuses(answer)).toEqual([200, 405]);
  });

  it('do not wait for a body that can never come', async () => {
    const broken = 'POST /body HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n';
    expect(statuses(await send(`${get('/one')}${broken}`))).toEqual([200, 400]);
  });

  it('are refused once, however much follows', async () => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    const ended = once(socket, 'close');
    for (let n = 0; n < 20; n += 1) socket.write(n === 0 ? get('/one') : 'more and more\r\n\r\n');
    await ended;
    expect(statuses(answer)).toEqual([200, 400]);
  });
});

describe('a request that is refused while its body arrives', () => {
  it('has its answer though its client goes on sending, and no reset', async () => {
    const socket = connect(port, '127.0.0.1');
    const errors: Error[] = [];
    socket.on('error', (error) => errors.push(error));
    const closed = new Promise((resolve) => socket.on('close', resolve));
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.write('POST /large HTTP/1.1\r\nhost: h\r\ncontent-length: 100000000\r\n\r\n');
    const chunk = Buffer.alloc(65_536);
    for (let n = 0; n < 64 && socket.writable; n += 1) {
      if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
    }
    await closed;
    expect(errors).toEqual([]);
    expect(answer).toMatch(/^HTTP\/1\.1 413 [^]*refused$/);
  });

  it('is closed within seconds, though its client never stops', async () => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.resume();
    const startedAt = performance.now();
    socket.write('POST /large HTTP/1.1\r\nhost: h\r\ncontent-length: 100000000\r\n\r\n');
    const sending = setInterval(() => socket.writable && socket.write('more'), 50);
    await new Promise((resolve) => socket.on('close', resolve));
    clearInterval(sending);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('what is refused before it reaches the application', () => {
  it.each([
    ['two Hosts', get('/', 'host: a\r\nhost: b\r\n'), 400, 'invalid'],
    ['two Hosts that are alike', get('/', 'host: a\r\nHost: a\r\n'), 400, 'invalid'],
    ['no Host', get('/', ''), 400, 'invalid'],
    ['a Host that is none', get('/', 'host: a b\r\n'), 400, 'invalid'],
    ['a list of Hosts', get('/', 'host: a, b\r\n'), 400, 'invalid'],
    ['an expectation that nobody can meet', get('/', 'host: a\r\nexpect: miracles\r\n'), 417, 'expectation_failed'],
    ['a CONNECT', 'CONNECT h:443 HTTP/1.1\r\nhost: h:443\r\n\r\n', 405, 'method_not_allowed'],
    ['what is not HTTP', 'hello\r\n\r\n', 400, 'invalid'],
  ])('%s: with a problem, and the connection is over', async (_what, bytes, status, code) => {
    const { head, body } = problemIn(await send(bytes));
    expect(statuses(head)).toEqual([status]);
    expect(head).toMatch(/^content-type: application\/problem\+json/im);
    expect(head).toMatch(/^connection: close/im);
    const [, traceId] = /^tocsin-trace-id: ([0-9a-f]{32})$/im.exec(head) ?? [];
    expect(body).toMatchObject({ status, code, retry: false, traceId });
  });

  it.each([
    ['of HTTP/1.0 without a Host', 'GET /old HTTP/1.0\r\n\r\n'],
    ['whose Host is an address with a port', get('/', 'host: [::1]:8420\r\nconnection: close\r\n')],
    ['whose Host is empty', get('/', 'host:\r\nconnection: close\r\n')],
    ['that expects to be told to go on', get('/', 'host: a\r\nexpect: 100-continue\r\nconnection: close\r\n')],
  ])('but not one %s', async (_what, bytes) => {
    expect(statuses(await send(bytes)).at(-1)).toBe(200);
  });
});

describe('the trace of an answer', () => {
  const traceOf = async (headers: Record<string, string> = {}, path = '/') =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).headers.get('tocsin-trace-id');

  it('is that of the request, or one of its own where it has none', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    expect(await traceOf({ traceparent: `00-${traceId}-b7ad6b7169203331-01` })).toBe(traceId);
    expect(await traceOf()).toMatch(/^[0-9a-f]{32}$/);
    expect(await traceOf()).not.toBe(await traceOf());
  });

  it.each(['nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `00-${'A'.repeat(32)}-b7ad6b7169203331-01`])(
    'is one of its own where the request says none that is valid: %s',
    async (traceparent) => {
      expect(await traceOf({ traceparent })).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    },
  );

  it('is there for health too', async () => {
    expect(await traceOf({}, '/health/live')).toMatch(/^[0-9a-f]{32}$/);
  });
});
