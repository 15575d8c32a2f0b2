import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { issue, type IssuedCertificate } from '@tocsin/testing';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { checkHttp, said } from './bench.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
type Issued = IssuedCertificate & { public: string };

/** A server of TLS that gives one answer; returns its port. What it sends is `chain`, or that of the certificate. */
async function serve(of: IssuedCertificate, o: { chain?: string; answer?: string } & TlsOptions = {}): Promise<number> {
  const server = createTlsServer(
    { key: of.key, cert: o.chain ?? of.chain, ciphers: 'ALL:@SECLEVEL=0', minVersion: 'TLSv1.2', ...o },
    (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(o.answer ?? OK));
    },
  ).on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

let root: Issued;
beforeAll(async () => {
  root = await issue({ name: 'Root', ca: true, days: 3650 });
});

interface Asked {
  ca?: string;
  verify?: boolean;
  serverName?: string;
  minDaysLeft?: number;
}

async function check(port: number, { ca = root.cert, verify = true, serverName, minDaysLeft = 14 }: Asked = {}) {
  const url = `https://localhost:${port}/`;
  const tls = { verify, ca, ...(serverName === undefined ? {} : { serverName }) };
  return said(await checkHttp({ url }, { tls, assertions: [{ type: 'certificate', minDaysLeft }], ipFamily: '4' }));
}

describe('the days that are left', () => {
  test('are those of the intermediate when it ends first', async () => {
    const mid = await issue({ name: 'M', ca: true, by: root, days: 2.5 });
    const port = await serve(await issue({ by: mid }));
    expect(await check(port)).toBe('degraded: the intermediate M expires in 2 days, expected at least 14 days left');
    expect(await check(port, { verify: false })).toMatch(/^degraded: the intermediate M expires in 2 days/);
  });

  test('are those of any intermediate, in whatever order they are sent', async () => {
    const upper = await issue({ name: 'Upper', ca: true, by: root, days: 5.5 });
    const lower = await issue({ name: 'Lower', ca: true, by: upper, days: 30 });
    const leaf = await issue({ by: lower });
    for (const chain of [leaf.chain, leaf.cert + '\n' + upper.cert + '\n' + lower.cert]) {
      expect(await check(await serve(leaf, { chain }))).toMatch(/^degraded: the intermediate Upper expires in 5 days/);
    }
  });

  test('are not those of what a server sends besides', async () => {
    const stranger = await issue({ name: 'Stranger', ca: true, by: root, days: 1 });
    const old = await issue({ name: 'Old', ca: true, by: root, from: -9, days: -1 });
    const mid = await issue({ name: 'M', ca: true, by: root });
    const leaf = await issue({ by: mid });
    const chain = [leaf.chain, stranger.cert, old.cert, root.cert].join('\n');
    expect(await check(await serve(leaf, { chain }))).toBe('up: status 200');
  });

  test('are not those of a root, sent or not', async () => {
    const short = await issue({ name: 'Short root', ca: true, days: 3 });
    const leaf = await issue({ by: short });
    expect(await check(await serve(leaf), { ca: short.cert })).toBe('up: status 200');
    const chain = `${leaf.chain}\n${short.cert}`;
    expect(await check(await serve(leaf, { chain }), { ca: short.cert })).toBe('up: status 200');
  });

  test('are not those of the same authority signed across by another one', async () => {
    const gone = await issue({ name: 'Gone root', ca: true, from: -90, days: -10 });
    const newer = await issue({ name: 'Newer root', ca: true, days: 900 });
    const across = await issue({ name: 'Newer root', ca: true, by: gone, like: newer, days: -1, from: -30 });
    const mid = await issue({ name: 'M', ca: true, by: newer });
    const leaf = await issue({ by: mid });
    const chain = `${leaf.chain}\n${across.cert}`;
    expect(await check(await serve(leaf, { chain }), { ca: newer.cert })).toBe('up: status 200');
  });

  test('are those of the intermediate that was taken, where an older one of it is sent too', async () => {
    const mid = await issue({ name: 'M', ca: true, by: root, days: 40.5 });
    const older = await issue({ name: 'M', ca: true, by: root, like: mid, days: -1 });
    const leaf = await issue({ by: mid });
    const chain = [leaf.cert, older.cert, mid.cert].join('\n');
    expect(await check(await serve(leaf, { chain }))).toBe('up: status 200');
    expect(await check(await serve(leaf, { chain }), { minDaysLeft: 60 })).toMatch(/intermediate M expires in 40 days/);
  });

  test('are those of the certificate itself, where it ends first or signs itself', async () => {
    const mid = await issue({ name: 'M', ca: true, by: root, days: 20 });
    const leaf = await issue({ by: mid, days: 3.5 });
    expect(await check(await serve(leaf))).toBe(
      'degraded: certificate expires in 3 days, expected at least 14 days left',
    );
    const own = await issue({ days: 4.5 });
    const self = await serve(own, { chain: own.cert });
    expect(await check(self, { verify: false })).toMatch(/^degraded: certificate expires in 4 days/);
    expect(await check(self, { ca: own.cert })).toMatch(/^degraded: certificate expires in 4 days/);
  });

  test('are the fewest of all servers on the way, which is named', async () => {
    const hop = (location: string) => `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`;
    const last = await serve(await issue({ by: root, days: 90 }));
    const middle = await serve(await issue({ by: root, days: 2.5 }), { answer: hop(`https://localhost:${last}/`) });
    const first = await serve(await issue({ by: root, days: 20 }), { answer: hop(`https://127.0.0.1:${middle}/`) });
    expect(await check(first)).toBe(
      'degraded: certificate of 127.0.0.1 expires in 2 days, expected at least 14 days left',
    );
    const finding = await checkHttp({ url: `https://localhost:${first}/` }, { tls: { ca: root.cert }, ipFamily: '4' });
    expect(finding.certificateExpiresAt! / 86_400_000).toBeCloseTo(Date.now() / 86_400_000 + 2.5, 1);
  });
});

describe('a certificate is for a host when its subjectAltName says so', () => {
  const cases: [title: string, o: Parameters<typeof issue>[0], asked: string, found: RegExp][] = [
    [
      'no subjectAltName',
      { name: 'localhost', names: [] },
      'localhost',
      /names no host \(subjectAltName is missing\)$/,
    ],
    ['an address as common name', { name: '127.0.0.1', names: [] }, '127.0.0.1', /names no host/],
    ['the name', { names: ['a.example.org'] }, 'a.example.org', /^up/],
    ['the name in capitals', { names: ['A.Example.org'] }, 'a.eXample.ORG', /^up/],
    ['the name with a dot at its end', { names: ['a.example.org'] }, 'a.example.org.', /^up/],
    ['a name below it', { names: ['example.org'] }, 'a.example.org', /is for example.org, not a.example.org$/],
    ['a wildcard', { names: ['*.example.org'] }, 'a.example.org', /^up/],
    ['a wildcard two labels away', { names: ['*.example.org'] }, 'a.b.example.org', /is for \*\.example.org, not a.b/],
    ['a wildcard without its label', { names: ['*.example.org'] }, 'example.org', /not example.org$/],
    ['a wildcard in the middle', { names: ['a.*.example.org'] }, 'a.b.example.org', /not a.b.example.org$/],
    ['a part of a label', { names: ['a*.example.org'] }, 'ab.example.org', /not ab.example.org$/],
    ['a wildcard alone', { names: ['*'] }, 'localhost', /not localhost$/],
    ['a wildcard of a whole domain', { names: ['*.org'] }, 'example.org', /not example.org$/],
    ['a name in ASCII form', { names: ['xn--bcher-kva.example'] }, 'xn--bcher-kva.example', /^up/],
    ['a wildcard for a name in ASCII form', { names: ['*.example.org'] }, 'xn--bcher-kva.example.org', /^up/],
    ['the address', { ips: ['127.0.0.1'] }, '127.0.0.1', /^up/],
    ['the address as a name', { names: ['127.0.0.1'] }, '127.0.0.1', /is for 127.0.0.1, not 127.0.0.1$/],
    ['an address of IPv6', { ips: ['2001:db8::1'] }, '2001:db8:0:0::1', /^up/],
    ['another address', { ips: ['10.0.0.1'] }, '127.0.0.1', /is for 10.0.0.1, not 127.0.0.1$/],
  ];
  test.each(cases)('%s', async (_, options, serverName, found) => {
    const port = await serve(await issue({ by: root, ...options }));
    expect(await check(port, { serverName })).toMatch(found);
  });
});

describe('a certificate that is not accepted', () => {
  const rsaRoot = issue({ name: 'RSA root', ca: true, rsaBits: 2048, days: 900 });

  test('names what is too old to be safe', async () => {
    const by = await rsaRoot;
    const ca = by.cert;
    const leaf = await issue({ by, rsaBits: 2048, digest: 'sha1' });
    expect(await check(await serve(leaf), { ca })).toMatch(/tls: certificate is signed with SHA-1/);
    const short = await issue({ by, rsaBits: 1024 });
    expect(await check(await serve(short), { ca })).toMatch(
      /tls: certificate has a key of 1024 bits, which is too short$/,
    );
    const mid = await issue({ name: 'Old M', ca: true, by, rsaBits: 2048, digest: 'sha1' });
    const below = await issue({ by: mid, rsaBits: 2048 });
    expect(await check(await serve(below), { ca })).toMatch(/tls: the intermediate Old M is signed with SHA-1/);
  });

  test('names the one that has ended, or has not begun', async () => {
    const ended = await issue({ name: 'Ended', ca: true, by: root, from: -20, days: -2.5 });
    expect(await check(await serve(await issue({ by: ended })))).toBe(
      'down: tls: the intermediate Ended expired 2 days ago',
    );
    const early = await issue({ name: 'Early', ca: true, by: root, from: 2 });
    expect(await check(await serve(await issue({ by: early })))).toMatch(
      /^down: tls: the intermediate Early is not valid before 20/,
    );
  });

  test('names what it may not be used for', async () => {
    expect(await check(await serve(await issue({ by: root, usage: 'client' })))).toMatch(
      /tls: certificate is not meant for servers/,
    );
    const none = await issue({ name: 'No CA', by: root });
    expect(await check(await serve(await issue({ by: none })))).toBe(
      'down: tls: certificate is signed by No CA, which is no authority',
    );
    const low = await issue({ name: 'Low', ca: true, by: root, pathLength: 0 });
    const lower = await issue({ name: 'Lower', ca: true, by: low });
    expect(await check(await serve(await issue({ by: lower })))).toMatch(
      /more intermediates than its authority allows/,
    );
    const authority = await issue({ name: 'localhost', ca: true, by: root, names: ['localhost'] });
    expect(await check(await serve(authority))).toMatch(
      /tls: certificate is (not meant for servers|one of an authority)/,
    );
  });

  test('is never called UNSPECIFIED', async () => {
    const forged = await issue({ name: 'Root', ca: true });
    expect(await check(await serve(await issue({ by: forged })))).toMatch(
      /tls: certificate has a signature that does not hold/,
    );
  });
});

test('an authority that signs the handshake of a client alone is asked for in words', async () => {
  const leaf = await issue({ by: root });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const port = await serve(leaf, { requestCert: true, rejectUnauthorized: true, ca: root.cert, maxVersion });
    expect(await check(port)).toMatch(/wants a client certificate/);
  }
});
