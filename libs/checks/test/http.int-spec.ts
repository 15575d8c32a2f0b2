import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { sealSecret, type SecretKeys } from '@tocsin/core';
import { describe, expect, test } from 'vitest';
import { checkHttp, rawServer, said, webServer } from './bench.ts';

/** A server that remembers what it was asked. */
async function recorder(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const server = await webServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      asked.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      answer(request, response);
    });
  });
  return { ...server, asked };
}

const fine = (_: IncomingMessage, response: ServerResponse): void => void response.end('fine');

describe('what is sent', () => {
  test('method, path and query, headers and body are those of the monitor', async () => {
    const server = await recorder(fine);
    const finding = await checkHttp(
      { url: `${server.url}a/b?c=d%20e` },
      { method: 'POST', headers: { 'X-One': '1', 'Content-Type': 'text/plain' }, body: 'héllo' },
    );
    expect(said(finding)).toBe('up: status 200');
    expect(server.asked).toEqual([
      expect.objectContaining({
        method: 'POST',
        url: '/a/b?c=d%20e',
        body: 'héllo',
        headers: expect.objectContaining({
          'x-one': '1',
          'content-length': '6',
          connection: 'close',
          host: new URL(server.url).host,
          'user-agent': 'Tocsin/0.1',
        }) as unknown,
      }),
    ]);
  });

  test('headers of the monitor take the place of the usual ones', async () => {
    const server = await recorder(fine);
    await checkHttp(server, { headers: { host: 'virtual.example', 'User-Agent': 'mine', accept: 'text/html' } });
    expect(server.asked[0]!.headers).toMatchObject({
      host: 'virtual.example',
      'user-agent': 'mine',
      accept: 'text/html',
    });
  });

  test('headers that frame the message are left to the check', async () => {
    const server = await recorder(fine);
    const headers = { 'Content-Length': '999', 'Transfer-Encoding': 'chunked', Connection: 'upgrade' };
    const finding = await checkHttp(server, { method: 'POST', headers, body: 'ab' });
    expect(finding.verdict).toBe('up');
    expect(server.asked[0]!.headers).toMatchObject({ 'content-length': '2', connection: 'close' });
  });

  test('HEAD has no body to wait for, whatever length it announces', async () => {
    const server = await recorder((_, response) => response.writeHead(200, { 'content-length': 99_999_999 }).end());
    expect(said(await checkHttp(server, { method: 'HEAD' }))).toBe('up: status 200');
  });

  test('basic and bearer credentials are opened when they are sent', async () => {
    const server = await recorder(fine);
    const key: SecretKeys = [Buffer.alloc(32, 1)];
    const opened: string[] = [];
    const openSecret = (sealed: string): string => {
      opened.push(sealed);
      return 'pässword';
    };
    const password = sealSecret(key, 'x');
    await checkHttp(server, { auth: { type: 'basic', username: 'ann', password } }, { openSecret });
    await checkHttp(server, { auth: { type: 'bearer', token: password } }, { openSecret: () => 'tok' });
    expect(opened).toEqual([password]);
    const sent = server.asked.map(({ headers }) => headers.authorization);
    expect(sent).toEqual([`Basic ${Buffer.from('ann:pässword').toString('base64')}`, 'Bearer tok']);
  });

  test('a secret that does not open ends the check before anything is sent', async () => {
    const server = await recorder(fine);
    const finding = await checkHttp(
      server,
      { auth: { type: 'bearer', token: sealSecret([Buffer.alloc(32)], 'x') } },
      {
        openSecret: () => {
          throw new Error('wrong key');
        },
      },
    );
    expect(said(finding)).toBe('down: settings: a secret of this monitor does not open; enter it again');
    expect(server.asked).toEqual([]);
  });

  test('a line break in an opened secret does not become another header', async () => {
    const server = await recorder(fine);
    const finding = await checkHttp(
      server,
      { headers: { 'X-Token': sealSecret([Buffer.alloc(32)], 'x') } },
      { openSecret: () => 'a\r\nX-Injected: 1' },
    );
    expect(said(finding)).toBe('down: settings: a header value holds a line break or a control character');
    expect(server.asked).toEqual([]);
  });

  test('every check opens a connection of its own', async () => {
    const ports = new Set<number>();
    const server = await recorder((request, response) => {
      ports.add(request.socket.remotePort!);
      response.end();
    });
    await checkHttp(server);
    await checkHttp(server);
    expect(ports.size).toBe(2);
  });
});

describe('the status', () => {
  test.each([
    [204, ['200-299'], 'up: status 204'],
    [503, ['200-299'], 'down: status 503, expected 200-299'],
    [404, ['200', '404'], 'up: status 404'],
    [201, ['200', '301-303'], 'down: status 201, expected 200, 301-303'],
  ])('%i with %j accepted', async (status, acceptedStatus, expected) => {
    const server = await recorder((_, response) => response.writeHead(status).end());
    const finding = await checkHttp(server, { acceptedStatus });
    expect(said(finding)).toBe(expected);
    expect(finding.statusCode).toBe(status);
  });
});

test('every phase that happened has its time, and no other', async () => {
  const server = await recorder((_, response) => {
    setTimeout(() => {
      response.write('first');
      setTimeout(() => response.end('last'), 40);
    }, 40);
  });
  const { timings, durationMs } = await checkHttp(server);
  expect(Object.keys(timings).toSorted()).toEqual(['connectMs', 'firstByteMs', 'transferMs']);
  expect(timings.firstByteMs).toBeGreaterThanOrEqual(35);
  expect(timings.transferMs).toBeGreaterThanOrEqual(35);
  expect(durationMs).toBeGreaterThanOrEqual(75);
  const named = await checkHttp({ url: server.url.replace('127.0.0.1', 'localhost') }, { ipFamily: '4' });
  expect(named.timings.dnsMs).toBeGreaterThan(0);
});

describe('the body', () => {
  const contains = (value: string) => ({ assertions: [{ type: 'body' as const, op: 'contains' as const, value }] });
  const text = 'the needle is here';

  test.each([
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['identity', Buffer.from(text)],
  ])('packed as %s is unpacked', async (encoding, body) => {
    const server = await recorder((_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body));
    expect(said(await checkHttp(server, contains('needle')))).toBe('up: status 200');
  });

  test('is not unpacked when nobody asserts on it', async () => {
    const server = await recorder((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('no zip'),
    );
    expect(said(await checkHttp(server))).toBe('up: status 200');
    expect(said(await checkHttp(server, contains('x')))).toBe('down: body: is not valid gzip');
  });

  test.each(['utf-8', 'none', 'binary', 'aws-chunked', 'constructor', 'UTF-8, identity'])(
    'that is said to be packed as %s, which is no coding, is read as it is',
    async (encoding) => {
      const server = await recorder((_, response) =>
        response.writeHead(200, { 'content-encoding': encoding }).end('x'),
      );
      expect(said(await checkHttp(server, contains('x')))).toBe('up: status 200');
    },
  );

  test('is unpacked when a name that is no coding stands beside one', async () => {
    const server = await recorder((_, response) =>
      response.writeHead(200, { 'content-encoding': 'utf-8, gzip, aws-chunked' }).end(gzipSync(text)),
    );
    expect(said(await checkHttp(server, contains('needle')))).toBe('up: status 200');
  });

  test('in a coding that is registered, and not read here, is an outage', async () => {
    const server = await recorder((_, response) =>
      response.writeHead(200, { 'content-encoding': 'compress' }).end('x'),
    );
    expect(said(await checkHttp(server, contains('x')))).toBe(
      'down: body: is packed as "compress", which this check can\'t read',
    );
  });

  test('that unpacks to more than its bound is stopped there', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    const server = await recorder((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    expect(bomb.length).toBeLessThan(100_000);
    expect(said(await checkHttp(server, contains('x')))).toBe('down: body: larger than 1 MiB once unpacked');
  });

  test('with bytes that are no UTF-8 is read all the same', async () => {
    const body = Buffer.concat([Buffer.from([0xff, 0xc0, 0xfe]), Buffer.from('needle'), Buffer.from([0xe2, 0x82])]);
    const server = await recorder((_, response) => response.end(body));
    expect(said(await checkHttp(server, contains('needle')))).toBe('up: status 200');
    expect(said(await checkHttp(server, contains('other')))).toBe('down: body does not contain "other"');
  });

  test('is read in the character set that it names', async () => {
    const server = await recorder((_, response) =>
      response
        .writeHead(200, { 'content-type': 'text/plain; charset=ISO-8859-1' })
        .end(Buffer.from('caf\u00e9', 'latin1')),
    );
    expect(said(await checkHttp(server, contains('café')))).toBe('up: status 200');
  });
});

test('an international host name is asked for in its ASCII form', async () => {
  const finding = await checkHttp({ url: 'http://bücher.invalid/' }, {}, { timeoutMs: 3_000 });
  expect(finding.message).toContain('xn--bcher-kva.invalid');
});

test('messages hold neither path nor query nor secrets of the monitor', async () => {
  const server = await recorder((_, response) =>
    response.writeHead(302, { location: '/s3cr3t-path?token=s3cr3t', 'x-api-key': 's3cr3t' }).end(),
  );
  const url = `${server.url}s3cr3t?key=s3cr3t`;
  const findings = [
    await checkHttp({ url }),
    await checkHttp({ url }, { redirects: { follow: false } }),
    await checkHttp(
      { url },
      {
        redirects: { follow: false },
        acceptedStatus: ['302'],
        assertions: [{ type: 'header', name: 'X-Api-Key', op: 'equals', value: 'other' }],
      },
    ),
    await checkHttp({ url: url.replace(/:\d+/, ':1') }),
  ];
  for (const finding of findings) {
    expect(finding.verdict).toBe('down');
    expect(JSON.stringify(finding)).not.toContain('s3cr3t');
  }
});

test('a server that streams row by row is as quick as its rows', async () => {
  let left = 1_500;
  const server = await rawServer((socket) => {
    socket.setNoDelay(true).once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
      const row = (): void => {
        if (left-- > 0) socket.write('a row of a table, one of many', () => setImmediate(row));
        else socket.end('end');
      };
      row();
    });
  });
  const assertions = [{ type: 'body' as const, op: 'contains' as const, value: 'end' }];
  expect(said(await checkHttp(server, { assertions }, { timeoutMs: 5_000 }))).toBe('up: status 200');
});
