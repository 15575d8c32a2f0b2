import { until } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { answering, checkHttp, rawServer, said, webServer } from './bench.ts';

const OK = 'HTTP/1.1 200 OK\r\n';

describe('a server that can not be reached', () => {
  test('a port where nobody listens is a refused connection', async () => {
    const finding = await checkHttp({ url: 'http://127.0.0.1:1/' });
    expect(said(finding)).toBe('down: connect: connection refused 127.0.0.1:1');
    expect(finding).toMatchObject({ reason: 'connect', timings: {} });
  });

  test('a name that does not exist is named', async () => {
    const finding = await checkHttp({ url: 'http://example.invalid/' });
    expect(finding.reason).toBe('dns');
    expect(finding.message).toMatch(/^dns: (no such host|the name server did not answer for) example\.invalid$/);
  });

  test('an address of the other family than asked for is refused without asking', async () => {
    expect(said(await checkHttp({ url: 'http://127.0.0.1:1/' }, { ipFamily: '6' }))).toBe(
      'down: dns: 127.0.0.1 is not an IPv6 address',
    );
    expect(said(await checkHttp({ url: 'http://[::1]:1/' }, { ipFamily: '4' }))).toBe(
      'down: dns: ::1 is not an IPv4 address',
    );
  });
});

describe('a server that does not end', () => {
  test('one that never answers ends the check at its timeout', async () => {
    const server = await rawServer(() => undefined);
    const finding = await checkHttp(server, {}, { timeoutMs: 200 });
    expect(said(finding)).toBe('down: timeout after 200 ms while waiting for the first byte');
    expect(finding.durationMs).toBeGreaterThanOrEqual(195);
    expect(finding.durationMs).toBeLessThan(1_000);
    await until(() => server.sockets.size === 0, { what: 'the connection to be closed' });
  });

  test('a slow drip of headers does not outlast the timeout', async () => {
    const server = await rawServer((socket) => {
      socket.write(OK);
      const drip = setInterval(() => socket.write('x-drip: 1\r\n'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    expect((await checkHttp(server, {}, { timeoutMs: 300 })).reason).toBe('timeout');
  });

  test('a slow drip of a body does not outlast the timeout', async () => {
    const server = await rawServer((socket) => {
      socket.write(`${OK}content-length: 1000\r\n\r\n`);
      const drip = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    const finding = await checkHttp(server, {}, { timeoutMs: 300 });
    expect(said(finding)).toBe('down: timeout after 300 ms while reading the body');
    expect(finding).toMatchObject({ statusCode: 200 });
    await until(() => server.sockets.size === 0);
  });

  test('a body without end stops at its bound', async () => {
    let sent = 0;
    const block = Buffer.alloc(65_536, 'x');
    const server = await rawServer((socket) => {
      socket.write(`${OK}\r\n`);
      const pour = (): void => {
        while (socket.writable) {
          sent += block.length;
          if (!socket.write(block)) break;
        }
      };
      socket.on('drain', pour).resume();
      pour();
    });
    const finding = await checkHttp(server);
    expect(said(finding)).toBe('down: body: larger than 1 MiB');
    expect(sent).toBeLessThan(16_000_000);
    await until(() => server.sockets.size === 0);
  });

  test('a body that is announced as too large is not read', async () => {
    const server = await answering(`${OK}content-length: 999999999\r\n\r\n`, false);
    expect(said(await checkHttp(server, { maxBodyBytes: 2048 }))).toBe('down: body: larger than 2 KiB');
  });

  test('no body at all is read when its bound is 0', async () => {
    const server = await answering(`${OK}content-length: 999999999\r\n\r\n`, false);
    expect(said(await checkHttp(server, { maxBodyBytes: 0 }))).toBe('up: status 200');
  });

  test('interim answers without end do not outlast the timeout', async () => {
    const server = await rawServer((socket) => {
      const pour = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 5);
      socket.on('close', () => clearInterval(pour));
    });
    expect((await checkHttp(server, {}, { timeoutMs: 200 })).reason).toBe('timeout');
  });
});

describe('a server that closes early', () => {
  test('before it answers', async () => {
    const server = await rawServer((socket) => socket.once('data', () => socket.end()));
    expect(said(await checkHttp(server))).toBe('down: closed: the server closed the connection before it answered');
  });

  test('by a reset', async () => {
    const server = await rawServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect((await checkHttp(server)).reason).toBe('closed');
  });

  test.each([
    ['in the middle of the headers', `${OK}content-le`],
    ['in the middle of the body', `${OK}content-length: 100\r\n\r\nonly this`],
    ['in the middle of a chunk', `${OK}transfer-encoding: chunked\r\n\r\n64\r\nonly`],
    ['before the last chunk', `${OK}transfer-encoding: chunked\r\n\r\n4\r\nonly\r\n`],
  ])('%s', async (_, text) => {
    const finding = await checkHttp(await answering(text));
    expect(said(finding)).toBe('down: closed: the server closed the connection before the answer was whole');
  });

  test('after an answer without a length, which is how that ends', async () => {
    expect(said(await checkHttp(await answering(`${OK}\r\nall of it`)))).toBe('up: status 200');
  });

  test('by switching to a protocol that nobody asked for', async () => {
    const server = await answering(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      false,
    );
    const finding = await checkHttp(server, {}, { timeoutMs: 500 });
    expect(finding.verdict).toBe('down');
    await until(() => server.sockets.size === 0);
  });
});

describe('a server that does not speak HTTP', () => {
  test.each([
    ['another protocol', '220 mail.example ESMTP\r\n'],
    ['a status line that is none', 'HTTP/1.1 abc\r\n\r\n'],
    ['a header without a name', `${OK}: value\r\n\r\n`],
    ['two lengths that differ', `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`],
    ['a chunk size that is none', `${OK}transfer-encoding: chunked\r\n\r\nzz\r\nxx`],
    ['bytes without meaning', Buffer.from([0, 255, 254, 13, 10, 13, 10])],
  ])('%s is called not valid HTTP', async (_, text) => {
    const finding = await checkHttp(await answering(text));
    expect(finding).toMatchObject({ verdict: 'down', reason: 'protocol' });
    expect(finding.message).toMatch(/^protocol: the answer is not valid HTTP \(.+\)$/);
  });

  test('headers without end stop at their bound', async () => {
    const server = await rawServer((socket) => {
      socket.write(OK);
      const line = `x-${'a'.repeat(1000)}: ${'b'.repeat(1000)}\r\n`;
      const pour = (): void => {
        while (socket.writable && socket.write(line));
      };
      socket.on('drain', pour).resume();
      pour();
    });
    expect(said(await checkHttp(server))).toBe('down: protocol: the headers are larger than 64 KiB');
    await until(() => server.sockets.size === 0);
  });

  test('a web server asked for TLS is told apart from a bad certificate', async () => {
    const server = await webServer((_, response) => response.end());
    const finding = await checkHttp({ url: server.url.replace('http:', 'https:') });
    expect(said(finding)).toBe('down: tls: the server does not speak TLS on this port');
  });
});

test('a check that is aborted says nothing about its target', async () => {
  const server = await rawServer(() => undefined);
  const stop = new AbortController();
  const running = checkHttp(server, {}, { signal: stop.signal });
  await until(() => server.sockets.size === 1);
  stop.abort();
  expect((await running).reason).toBe('aborted');
  await until(() => server.sockets.size === 0);
  expect((await checkHttp(server, {}, { signal: stop.signal })).reason).toBe('aborted');
});
