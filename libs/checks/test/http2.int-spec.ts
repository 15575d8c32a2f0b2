import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { pipeline } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  alone,
  certificate,
  checkHttp,
  type Http2Running,
  http2Server,
  type Pems,
  rawServer,
  said,
  secureServer,
  sendSlowly,
} from './bench.ts';

type Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;
const fine: Listener = (_, response) => void response.end('fine');
const contains = (value: string) => ({ type: 'body' as const, op: 'contains' as const, value });

let pems: Pems;
let tls: { ca: string };
beforeAll(async () => {
  pems = await certificate({ ip: '127.0.0.1', days: 20 });
  tls = { ca: pems.cert };
});

interface Asked {
  method: string;
  path: string;
  headers: Http2ServerRequest['headers'];
  body: string;
}

/** A server of HTTP/2 alone that remembers what it was asked. */
async function recorder(listener: Listener = fine): Promise<Http2Running & { asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = await http2Server(pems, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => {
      asked.push({ method: request.method, path: request.url, headers: request.headers, body });
      listener(request, response);
    });
  });
  return { ...server, asked };
}

/** The SETTINGS by which a server of HTTP/2 begins, and the GOAWAY by which it then ends what is no HTTP/2. */
const NO_PREFACE = Buffer.from('000000040000000000' + '0000080700000000000000000000000001', 'hex');

/** A server of HTTP/2 alone that agrees on no protocol with whoever does not offer that, and then does what `act` does. */
async function goLike(act: (socket: TLSSocket) => void): Promise<Http2Running> {
  const http2 = await http2Server(pems, fine);
  const inner = createTlsServer({ key: pems.private, cert: pems.cert }, (socket) => {
    socket.on('error', () => undefined).once('data', () => act(socket));
  });
  await new Promise<void>((resolve) => inner.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void inner.close());
  const front = await rawServer((socket) => {
    socket.once('data', (hello) => {
      const { port } = hello.includes('\x02h2') ? http2 : (inner.address() as AddressInfo);
      const behind = connect({ host: '127.0.0.1', port }).on('error', () => undefined);
      behind.write(hello);
      pipeline(socket, behind, socket, () => undefined);
    });
  });
  return { ...front, url: `https://127.0.0.1:${front.port}/`, offered: http2.offered };
}

describe('a server that speaks HTTP/2 alone', () => {
  test('is up', async () => {
    const server = await recorder();
    const finding = await checkHttp({ url: `${server.url}a/b?c=d%20e` }, { tls, headers: { 'X-One': '1' } });
    expect(said(finding)).toBe('up: status 200');
    expect(finding.statusCode).toBe(200);
    expect(Object.keys(finding.timings).toSorted()).toEqual(['connectMs', 'firstByteMs', 'tlsMs', 'transferMs']);
    expect(finding.certificateExpiresAt! / 86_400_000).toBeCloseTo(Date.now() / 86_400_000 + 20, 1);
    const [{ method, path, headers }] = server.asked as [Asked];
    expect({ method, path }).toEqual({ method: 'GET', path: '/a/b?c=d%20e' });
    expect(headers).toMatchObject({
      ':authority': new URL(server.url).host,
      ':scheme': 'https',
      'x-one': '1',
      'user-agent': 'Tocsin/0.1',
      accept: '*/*',
    });
    expect(headers).not.toHaveProperty('connection');
    expect(headers).not.toHaveProperty('host');
  });

  test('is judged by its status', async () => {
    const server = await recorder((_, response) => response.writeHead(503).end());
    expect(said(await checkHttp(server, { tls }))).toBe('down: status 503, expected 200-299');
  });

  test("is asked for the monitor's own Host, and never told how to keep the connection", async () => {
    const server = await recorder();
    const headers = { Host: 'virtual.example', 'Proxy-Connection': 'close', 'HTTP2-Settings': 'AAAA', 'X-A': 'ü' };
    expect(said(await checkHttp(server, { tls, headers }))).toBe('up: status 200');
    expect(server.asked[0]!.headers).toMatchObject({ ':authority': 'virtual.example', 'x-a': 'ü' });
    expect(Object.keys(server.asked[0]!.headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(host|proxy-connection|http2-settings)$/)]),
    );
  });

  test('gets the body and the credentials', async () => {
    const server = await recorder();
    const finding = await checkHttp(server, {
      tls,
      method: 'POST',
      body: 'héllo',
      headers: { 'Content-Type': 'text/plain' },
      auth: { type: 'bearer', token: 'tok' },
    });
    expect(said(finding)).toBe('up: status 200');
    expect(server.asked[0]).toMatchObject({
      method: 'POST',
      body: 'héllo',
      headers: { 'content-length': '6', 'content-type': 'text/plain', authorization: 'Bearer tok' },
    });
  });

  test('gets a body that is larger than its window', async () => {
    const server = await recorder();
    const body = 'x'.repeat(65_536);
    expect(said(await checkHttp(server, { tls, method: 'PUT', body }))).toBe('up: status 200');
    expect(server.asked[0]!.body).toBe(body);
  });

  test('may answer before it has read the body', async () => {
    const server = await http2Server(pems, (request, response) => {
      response.stream.respond({ ':status': 413 }, { endStream: true });
      request.stream.close(0);
    });
    const finding = await checkHttp(server, { tls, method: 'PUT', body: 'x'.repeat(65_536) });
    expect(said(finding)).toBe('down: status 413, expected 200-299');
  });

  test.each(['HEAD', 'OPTIONS', 'DELETE'] as const)('is asked with %s', async (method) => {
    const server = await recorder((_, response) => response.writeHead(200, { 'content-length': '0' }).end());
    expect(said(await checkHttp(server, { tls, method }))).toBe('up: status 200');
    expect(server.asked[0]).toMatchObject({ method, body: '' });
  });

  test('is asserted on: headers, body, JSON, the certificate', async () => {
    const server = await recorder((_, response) => {
      response.writeHead(200, { 'X-State': ['one', 'two'], 'Content-Encoding': 'gzip' });
      response.end(gzipSync(JSON.stringify({ state: 'ready' })));
    });
    const judged = (assertion: object) => checkHttp(server, { tls, assertions: [assertion as never] });
    expect(said(await judged({ type: 'header', name: 'x-state', op: 'equals', value: 'one, two' }))).toBe(
      'up: status 200',
    );
    expect(said(await judged(contains('ready')))).toBe('up: status 200');
    expect(said(await judged(contains('other')))).toBe('down: body does not contain "other"');
    expect(said(await judged({ type: 'json', path: '$.state', op: 'equals', value: 'ready' }))).toBe('up: status 200');
    expect(said(await judged({ type: 'certificate', minDaysLeft: 21 }))).toBe(
      'degraded: certificate expires in 19 days, expected at least 21 days left',
    );
  });

  test('may send a body of many windows', async () => {
    const server = await recorder((_, response) => response.end(`${'x'.repeat(900_000)}end`));
    expect(said(await checkHttp(server, { tls, assertions: [contains('xend')] }))).toBe('up: status 200');
    expect(said(await checkHttp(server, { tls, maxBodyBytes: 800_000 }))).toBe('down: body: larger than 800000 bytes');
  });

  test('may send a large body slowly: its bytes are not taken for records with nothing in them', async () => {
    const server = await http2Server(pems, (_, response) => sendSlowly(response));
    expect(said(await checkHttp(server, { tls, assertions: [contains('end')] }))).toBe('up: status 200');
  });

  test('may send interim answers and trailers', async () => {
    const server = await http2Server(pems, (_, response) => {
      response.stream.additionalHeaders({ ':status': 103, link: '</a>; rel=preload' });
      response.stream.additionalHeaders({ ':status': 102 });
      response.addTrailers({ 'x-after': 'all' });
      response.end('fine');
    });
    expect(said(await checkHttp(server, { tls, assertions: [contains('fine')] }))).toBe('up: status 200');
  });

  test('is verified like any other', async () => {
    const server = await recorder();
    expect(said(await checkHttp(server))).toBe('down: tls: certificate is self-signed');
    expect(said(await checkHttp(server, { tls: { ...tls, serverName: 'b.example' } }))).toMatch(/not b\.example$/);
    expect(server.asked).toEqual([]);
  });
});

describe('redirects', () => {
  test('lead from HTTP/2 to HTTP/2, with the cookies that were set on the way', async () => {
    const server = await recorder((request, response) => {
      if (request.url === '/end') return void response.end('fine');
      response.writeHead(302, { 'set-cookie': ['a=1; Path=/', 'b=2; Path=/; Secure'], location: '/end' }).end();
    });
    expect(said(await checkHttp(server, { tls, headers: { cookie: 'own=0' } }))).toBe('up: status 200');
    expect(server.asked.map(({ path, headers }) => [path, headers.cookie])).toEqual([
      ['/', 'own=0'],
      ['/end', 'own=0; a=1; b=2'],
    ]);
  });

  test('lead from HTTP/2 to HTTP/1.1 and back, without credentials', async () => {
    const last = await recorder();
    const middle = await secureServer(pems, (_, response) => response.writeHead(307, { location: last.url }).end());
    const first = await recorder((_, response) => response.writeHead(307, { location: middle.url }).end());
    const finding = await checkHttp(first, { tls, auth: { type: 'bearer', token: 'tok' } });
    expect(said(finding)).toBe('up: status 200');
    expect(first.asked[0]!.headers.authorization).toBe('Bearer tok');
    expect(last.asked[0]!.headers).not.toHaveProperty('authorization');
  });
});

describe('which HTTP is spoken', () => {
  test('is HTTP/1.1 with a server that has both, over one connection', async () => {
    let version = '';
    const listener: Listener = (request, response) => {
      version = request.httpVersion;
      response.end();
    };
    const server = await http2Server(pems, listener, { choose: alone('h2', 'http/1.1') });
    expect(said(await checkHttp(server, { tls }))).toBe('up: status 200');
    expect(version).toBe('1.1');
    expect(server.offered).toEqual([['http/1.1']]);
  });

  test('is remembered from one check of a revision to the next', async () => {
    const server = await recorder();
    const settingsKey = `${server.url}.1`;
    await checkHttp(server, { tls }, { settingsKey });
    expect(server.offered).toEqual([['http/1.1'], ['http/1.1', 'h2']]);
    await checkHttp(server, { tls }, { settingsKey });
    expect(server.offered.slice(2)).toEqual([['http/1.1', 'h2']]);
    await checkHttp(server, { tls }, { settingsKey: `${server.url}.2` });
    expect(server.offered.slice(3)).toEqual([['http/1.1'], ['http/1.1', 'h2']]);
  });

  test('is found anew when a server that had HTTP/2 alone has HTTP/1.1 alone', async () => {
    let speaks = 'h2';
    const server = await http2Server(pems, fine, { choose: (offered) => alone(speaks)(offered) });
    const settingsKey = `${server.url}.1`;
    const check = () => checkHttp(server, { tls }, { settingsKey });
    expect(said(await check())).toBe('up: status 200');
    speaks = 'http/1.1';
    expect(said(await check())).toBe('up: status 200');
    speaks = 'h2';
    expect(said(await check())).toBe('up: status 200');
  });

  test('is neither where a server has neither', async () => {
    const server = createTlsServer({ key: pems.private, cert: pems.cert, ALPNProtocols: ['imap'] });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(said(await checkHttp({ url }, { tls }))).toBe(
      'down: tls: the server speaks neither HTTP/1.1 nor HTTP/2 (no application protocol)',
    );
  });

  test.each<[string, (socket: TLSSocket) => void]>([
    ['closes the connection', (socket) => socket.end()],
    ['ends what is no HTTP/2', (socket) => socket.end(NO_PREFACE)],
  ])('is HTTP/2 with a server that takes HTTP/1.1 for no protocol at all, as Go does, and %s', async (_, act) => {
    const server = await goLike(act);
    expect(said(await checkHttp(server, { tls, assertions: [contains('fine')] }))).toBe('up: status 200');
    expect(server.offered).toEqual([['http/1.1', 'h2']]);
  });

  test('is HTTP/1.1 with a server that names no protocol, and nothing is sent twice', async () => {
    let asked = 0;
    const server = createTlsServer({ key: pems.private, cert: pems.cert }, (socket) => {
      socket
        .on('error', () => undefined)
        .once('data', () => {
          asked++;
          socket.end();
        });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(said(await checkHttp({ url }, { tls, method: 'POST', body: 'a' }))).toBe(
      'down: closed: the server closed the connection before it answered',
    );
    expect(asked).toBe(1);
  });

  test('is not tried with a server that began to answer in HTTP/1.1 and broke off', async () => {
    let connections = 0;
    const server = createTlsServer({ key: pems.private, cert: pems.cert }, (socket) => {
      connections++;
      socket
        .on('error', () => undefined)
        .once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(said(await checkHttp({ url }, { tls, assertions: [contains('x')] }))).toBe(
      'down: closed: the server closed the connection before the answer was whole',
    );
    expect(connections).toBe(1);
  });
});

describe('an answer in HTTP/2 that breaks', () => {
  const check = (server: { url: string }, settings = {}, context = {}) =>
    checkHttp(server, { tls, assertions: [contains('x')], ...settings }, context);

  test.each([
    ['before its head', (stream: Http2ServerResponse['stream']) => stream.close(2), 'before it answered'],
    [
      'in its body',
      (stream: Http2ServerResponse['stream']) => {
        stream.respond({ ':status': 200 });
        stream.write('x', () => setImmediate(() => stream.destroy(new Error('broken'))));
      },
      'before the answer was whole',
    ],
  ])('%s, by a reset', async (_, act, when) => {
    const server = await http2Server(pems, ({ stream }) => act(stream));
    expect(said(await check(server))).toBe(`down: closed: the server gave up the request ${when} (INTERNAL_ERROR)`);
  });

  test('by the end of the connection', async () => {
    const server = await http2Server(pems, ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.write('x', () => server.sockets.forEach((socket) => socket.end()));
    });
    expect(said(await check(server))).toBe(
      'down: closed: the server closed the connection before the answer was whole',
    );
  });

  test('by a reset of the connection', async () => {
    const server = await http2Server(pems, () => server.sockets.forEach((socket) => socket.resetAndDestroy()));
    expect(said(await check(server))).toBe('down: closed: the server closed the connection before it answered');
  });

  test('by GOAWAY', async () => {
    const server = await http2Server(pems, ({ stream }) => stream.session!.goaway(11));
    expect(said(await check(server))).toBe(
      'down: closed: the server closed the connection before it answered (ENHANCE_YOUR_CALM)',
    );
  });

  test('by GOAWAY that lets the request be answered is none', async () => {
    const server = await http2Server(pems, ({ stream }) => {
      stream.session!.goaway(0, stream.id!);
      setTimeout(() => {
        stream.respond({ ':status': 200 });
        stream.end('x');
      }, 30);
    });
    expect(said(await check(server))).toBe('up: status 200');
  });

  test('by fewer bytes than its length', async () => {
    const server = await http2Server(pems, ({ stream }) => {
      stream.respond({ ':status': 200, 'content-length': '10' });
      stream.end('x');
    });
    expect(said(await check(server))).toBe('down: protocol: the answer is not valid HTTP/2 (PROTOCOL_ERROR)');
  });

  test.each([['before it answers', false, 'waiting for the first byte'], ['in its body', true, 'reading the body']])(
    'off %s ends at the deadline',
    async (_, begins, phase) => {
      const server = await http2Server(pems, ({ stream }) => {
        if (!begins) return;
        stream.respond({ ':status': 200 });
        stream.write('x');
      });
      const settingsKey = `${server.url}.1`;
      await check(server, {}, { timeoutMs: 1_000, settingsKey });
      const finding = await check(server, {}, { timeoutMs: 200, settingsKey });
      expect(said(finding)).toBe(`down: timeout after 200 ms while ${phase}`);
      // A busy machine is late by some hundred milliseconds; what does not end at the deadline would not end at all.
      expect(finding.durationMs).toBeLessThan(5_000);
      await until(() => server.sockets.size === 0, { what: 'all connections to be closed' });
    },
  ); // prettier-ignore
});
