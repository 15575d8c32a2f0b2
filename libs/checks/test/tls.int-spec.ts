import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { certificate, checkHttp, checkTcp, type Pems, rawServer, said, secureServer, sendSlowly } from './bench.ts';

const DAY_MS = 86_400_000;
const ok = (_: unknown, response: { end(text: string): unknown }): void => void response.end('fine');

describe('TLS', () => {
  let good: Pems;
  beforeAll(async () => {
    good = await certificate({ names: ['a.example'], ip: '127.0.0.1', days: 20 });
  });

  test('a certificate of an authority that the monitor names is accepted', async () => {
    const server = await secureServer(good, ok);
    const finding = await checkHttp(server, { tls: { ca: good.cert } });
    expect(said(finding)).toBe('up: status 200');
    expect(finding.certificateExpiresAt! / DAY_MS).toBeCloseTo(Date.now() / DAY_MS + 20, 1);
    expect(Object.keys(finding.timings)).toEqual(expect.arrayContaining(['connectMs', 'tlsMs', 'firstByteMs']));
  });

  test('a large body may come slowly', async () => {
    const server = await secureServer(good, (_, response) => sendSlowly(response));
    const assertions = [{ type: 'body' as const, op: 'contains' as const, value: 'end' }];
    expect(said(await checkHttp(server, { tls: { ca: good.cert }, assertions }))).toBe('up: status 200');
  });

  test('an answer may come in thousands of small records', async () => {
    const rows = 6_000;
    const server = await secureServer(good, (_, response) => {
      response.socket!.setNoDelay(true);
      let sent = 0;
      const next = (): void => {
        for (let n = 0; n < 50 && sent < rows; n += 1, sent += 1) response.write('0123456789');
        if (sent < rows) setImmediate(next);
        else response.end('end');
      };
      next();
    });
    const assertions = [{ type: 'body' as const, op: 'contains' as const, value: 'end' }];
    const finding = await checkHttp(server, { tls: { ca: good.cert }, assertions }, { timeoutMs: 10_000 });
    expect(said(finding)).toBe('up: status 200');
  });

  test('a self-signed certificate is refused, before anything is sent', async () => {
    let asked = 0;
    const server = await secureServer(good, (_, response) => {
      asked++;
      response.end();
    });
    const finding = await checkHttp(server, { auth: { type: 'bearer', token: 'tok' } });
    expect(said(finding)).toBe('down: tls: certificate is self-signed');
    expect(finding.reason).toBe('tls');
    expect(asked).toBe(0);
  });

  test('an expired certificate is named with its age', async () => {
    const pems = await certificate({ ip: '127.0.0.1', days: -3.5 });
    const server = await secureServer(pems, ok);
    expect(said(await checkHttp(server, { tls: { ca: pems.cert } }))).toBe('down: tls: certificate expired 3 days ago');
  });

  test('a certificate of the future is not valid yet', async () => {
    const pems = await certificate({ ip: '127.0.0.1', from: 2, days: 9 });
    const server = await secureServer(pems, ok);
    expect((await checkHttp(server, { tls: { ca: pems.cert } })).message).toMatch(
      /^tls: certificate is not valid before 20/,
    );
  });

  test('a certificate of another host is named with both', async () => {
    const pems = await certificate({ names: ['a.example'] });
    const server = await secureServer(pems, ok);
    const tls = { ca: pems.cert, serverName: 'b.example' };
    expect(said(await checkHttp(server, { tls }))).toBe('down: tls: certificate is for a.example, not b.example');
    expect(said(await checkHttp(server, { tls: { ca: pems.cert } }))).toBe(
      'down: tls: certificate is for a.example, not 127.0.0.1',
    );
  });

  test('of many names only the first few are told', async () => {
    const pems = await certificate({ names: ['a.example', 'b.example', 'c.example', 'd.example', 'e.example'] });
    const server = await secureServer(pems, ok);
    expect((await checkHttp(server, { tls: { ca: pems.cert } })).message).toBe(
      'tls: certificate is for a.example, b.example, c.example and 2 more, not 127.0.0.1',
    );
  });

  test('the server name of the monitor is asked for and verified in place of the host', async () => {
    const server = await secureServer(good, ok);
    const finding = await checkHttp(server, { tls: { ca: good.cert, serverName: 'a.example' } });
    expect(said(finding)).toBe('up: status 200');
  });

  test('nothing is refused when the monitor does not verify, and the days left still count', async () => {
    const pems = await certificate({ names: ['a.example'], days: -3.5 });
    const server = await secureServer(pems, ok);
    expect(said(await checkHttp(server, { tls: { verify: false } }))).toBe('up: status 200');
    const finding = await checkHttp(server, {
      tls: { verify: false },
      assertions: [{ type: 'certificate', minDaysLeft: 14 }],
    });
    expect(said(finding)).toBe('degraded: certificate has expired, expected at least 14 days left');
  });

  test('few days left make the target degraded, or down where the monitor says so', async () => {
    const server = await secureServer(good, ok);
    const judged = (minDaysLeft: number, severity: 'down' | 'degraded') =>
      checkHttp(server, { tls: { ca: good.cert }, assertions: [{ type: 'certificate', minDaysLeft, severity }] });
    expect(said(await judged(19, 'degraded'))).toBe('up: status 200');
    expect(said(await judged(21, 'degraded'))).toBe(
      'degraded: certificate expires in 19 days, expected at least 21 days left',
    );
    expect((await judged(21, 'down')).verdict).toBe('down');
  });

  test('a server that hangs up in the handshake is told so', async () => {
    const server = await rawServer((socket) => socket.once('data', () => socket.end()));
    expect(said(await checkHttp({ url: `https://127.0.0.1:${server.port}/` }))).toBe(
      'down: tls: the server closed the connection in the handshake',
    );
  });

  test('a server that is silent in the handshake ends at the timeout', async () => {
    const server = await rawServer(() => undefined);
    expect(said(await checkHttp({ url: `https://127.0.0.1:${server.port}/` }, {}, { timeoutMs: 200 }))).toBe(
      'down: timeout after 200 ms while in the TLS handshake',
    );
    await until(() => server.sockets.size === 0);
  });

  test('a redirect from https to another host is verified as that host', async () => {
    const other = await secureServer(good, ok);
    const server = await secureServer(good, (_, response) =>
      response.writeHead(302, { location: other.url.replace('127.0.0.1', 'localhost') }).end(),
    );
    const finding = await checkHttp(server, { tls: { ca: good.cert, serverName: 'a.example' }, ipFamily: '4' });
    expect(said(finding)).toBe('down: tls: certificate is for a.example, 127.0.0.1, not localhost');
  });

  test('is spoken by tcp checks too, when the monitor says so', async () => {
    const server = await secureServer(good, ok);
    expect(said(await checkTcp(server, { tls: { verify: false } }))).toBe('up: connected');
    expect(said(await checkTcp(server, { tls: {} }))).toBe('down: tls: certificate is self-signed');
    const greeting = await checkTcp(server, {
      tls: { verify: false },
      send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      expect: '200 OK',
    });
    expect(said(greeting)).toBe('up: received "200 OK"');
  });
});
