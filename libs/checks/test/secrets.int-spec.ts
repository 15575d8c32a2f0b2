import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { issue, type IssuedCertificate } from '@tocsin/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answering, checkHttp, checkTcp, rawServer, said, secureServer, webServer } from './bench.ts';

const sealed = (name: string) => `sealed:v1:${name}`;

describe('a target that repeats a secret', () => {
  const openSecret = (): string => 'pa55 word/+=';

  test.each([
    ['as it was sent', (sent: string) => Buffer.from(sent.slice(6), 'base64').toString()],
    ['as a whole credential', (sent: string) => sent],
    ['as base64 of the password', () => Buffer.from('pa55 word/+=').toString('base64')],
    ['percent-encoded', () => encodeURIComponent('pa55 word/+=')],
  ])('%s has it left out of the finding', async (_, repeat) => {
    const server = await webServer((request, response) =>
      response.setHeader('x-echo', repeat(request.headers.authorization!)).end(),
    );
    const finding = await checkHttp(
      server,
      {
        auth: { type: 'basic', username: 'admin', password: sealed('x') },
        assertions: [{ type: 'header', name: 'x-echo', op: 'equals', value: 'fine' }],
      },
      { openSecret },
    );
    expect(finding.message).toContain('********');
    expect(finding.message).not.toMatch(/pa55|cGE1NS|bjpwYTU1/);
  });

  test('in its body, cut off by the message, has it left out too', async () => {
    const token = 'tok_0123456789abcdefghijklmnopqrstuvwxyz';
    const server = await webServer((_, response) =>
      response.end(JSON.stringify({ error: `${'no '.repeat(14)}${token}` })),
    );
    const finding = await checkHttp(
      server,
      {
        auth: { type: 'bearer', token: sealed('x') },
        assertions: [{ type: 'json', path: '$.error', op: 'equals', value: 'ok' }],
      },
      { openSecret: () => token },
    );
    expect(finding.message).toMatch(/no \*{8}…"/);
  });

  test('has what viewers are not shown of the settings left out too', async () => {
    const server = await webServer((request, response) => response.setHeader('x-echo', request.url!).end());
    const assertions = [{ type: 'header' as const, name: 'x-echo', op: 'equals' as const, value: 'fine' }];
    const url = `${server.url}?token=a-key-of-somebody&page=2`;
    expect((await checkHttp({ ...server, url }, { assertions })).message).toContain('"/?token=********&page=2"');
    const nameless = `${server.url}?a-key-of-somebody&page=2&empty=`;
    expect((await checkHttp({ ...server, url: nameless }, { assertions })).message).toContain(
      '"/?********&page=2&empty="',
    );
    const shell = await rawServer((socket) =>
      socket.on('data', (data) => socket.end(`unknown command ${String(data)}`)),
    );
    const finding = await checkTcp(shell, { send: 'AUTH hunter2\r\n', expect: 'OK' });
    expect(finding.message).toContain('unknown command ********');
    const sendHex = Buffer.from('AUTH hunter2\r\n').toString('hex');
    expect((await checkTcp(shell, { sendHex, expect: 'OK' })).message).toContain('unknown command ********');
  });

  test('of which the password is short has the credential left out', async () => {
    const server = await webServer((request, response) =>
      response.setHeader('x-echo', request.headers.authorization!).end(),
    );
    const finding = await checkHttp(
      server,
      {
        auth: { type: 'basic', username: 'u', password: sealed('x') },
        assertions: [{ type: 'header', name: 'x-echo', op: 'equals', value: 'fine' }],
      },
      { openSecret: () => 'abc' },
    );
    expect(finding.message).not.toContain(Buffer.from('u:abc').toString('base64'));
  });

  test('in a header of its own has it left out', async () => {
    const server = await answering('HTTP/1.1 200 OK\r\nX-Key: topsecretkey\r\nContent-Length: 0\r\n\r\n');
    const finding = await checkHttp(
      server,
      {
        headers: { 'X-Api-Key': sealed('x') },
        assertions: [{ type: 'header', name: 'x-key', op: 'equals', value: 'a' }],
      },
      { openSecret: () => 'topsecretkey' },
    );
    expect(finding.message).not.toContain('topsecretkey');
  });
});

describe("a client's certificate", () => {
  async function pki(): Promise<{ root: IssuedCertificate; server: IssuedCertificate; client: IssuedCertificate }> {
    const root = await issue({ name: 'Root', ca: true });
    return {
      root,
      server: await issue({ by: root }),
      client: await issue({ name: 'tocsin', by: root, usage: 'client' }),
    };
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('is shown to a server that asks for it, with %s', async (maxVersion) => {
    const { root, server, client } = await pki();
    const tcp = createServer(
      { key: server.key, cert: server.chain, ca: root.cert, requestCert: true, maxVersion },
      (socket) => void socket.on('error', () => undefined).end('220 hello\r\n'),
    ).on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void tcp.close());
    const { port } = tcp.address() as AddressInfo;
    const tls = { ca: root.cert, cert: client.cert, key: sealed('key') };
    const openSecret = () => client.key;
    expect(said(await checkTcp({ port }, { tls, expect: '220' }, { openSecret }))).toBe('up: received "220"');
    expect(said(await checkTcp({ port }, { tls: { ca: root.cert }, expect: '220' }))).toMatch(
      /^down: tls: the server .*wants a client certificate/,
    );
  });

  test('is shown to the origin of the monitor, and to no other', async () => {
    const { root, server, client } = await pki();
    const pems = { private: server.key, cert: server.chain };
    const shown: string[] = [];
    const note = (at: string, socket: unknown) =>
      shown.push(
        `${at} ${(socket as { getPeerCertificate(): { subject?: { CN?: string } } }).getPeerCertificate().subject?.CN ?? 'nobody'}`,
      );
    const options = { requestCert: true, rejectUnauthorized: false, ca: root.cert };
    const other = await secureServer({ ...pems, ...options }, (request, response) => {
      note('other', request.socket);
      response.end();
    });
    const first = await secureServer({ ...pems, ...options }, (request, response) => {
      note('first', request.socket);
      if (request.url === '/') response.writeHead(302, { location: '/again' }).end();
      else response.writeHead(302, { location: other.url }).end();
    });
    const tls = { ca: root.cert, cert: client.cert, key: sealed('key') };
    expect(said(await checkHttp(first, { tls }, { openSecret: () => client.key }))).toBe('up: status 200');
    expect(shown).toEqual(['first tocsin', 'first tocsin', 'other nobody']);
  });

  test('with the key of another one is a fault of the settings', async () => {
    const { root, server, client } = await pki();
    const at = await rawServer(() => undefined);
    const tls = { ca: root.cert, cert: client.cert, key: sealed('key') };
    expect(said(await checkTcp(at, { tls }, { openSecret: () => server.key }))).toBe(
      'down: settings: tls.key does not fit tls.cert',
    );
  });
});

describe('a tcp check with TLS', () => {
  test('trusts the authority of the monitor, and counts the days that are left', async () => {
    const root = await issue({ name: 'Root', ca: true });
    const mid = await issue({ name: 'M', ca: true, by: root, days: 5.5 });
    const leaf = await issue({ by: mid });
    const server = await secureServer({ private: leaf.key, cert: leaf.chain }, (_, response) => void response.end());
    const found = async (tls: object) =>
      said(await checkTcp(server, { tls: { ca: root.cert, ...tls } }, { settingsKey: 'a.1' }));
    expect(await found({})).toBe('up: connected');
    expect(await found({ minDaysLeft: 5 })).toBe('up: connected');
    expect(await found({ minDaysLeft: 14 })).toBe(
      'degraded: the intermediate M expires in 5 days, expected at least 14 days left',
    );
  });
});
