import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { answering, checkHttp, rawServer, said } from './bench.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const body = (op: 'equals' | 'contains', value: string) => ({ assertions: [{ type: 'body' as const, op, value }] });
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** Odd answers that browsers and curl read, each with its report. */
const READ: [why: string, answer: string][] = [
  ['more bytes than Content-Length says (nodejs/node#37676)', `${OK}Content-Length: 5\r\n\r\nhello world`],
  ['lines that end in LF (louislam/uptime-kuma#5972)', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello'],
  ['a folded header (louislam/uptime-kuma#4899)', `${OK}X-Long: first\r\n second\r\nContent-Length: 5\r\n\r\nhello`],
  ['U+0001 in a cookie (louislam/uptime-kuma#23)', `${OK}Set-Cookie: a=a\x01b\r\nContent-Length: 5\r\n\r\nhello`],
  [
    'chunks and a length (nodejs/node#7136)',
    `${CHUNKED.replace('\r\n\r\n', '\r\nContent-Length: 9\r\n\r\n')}5\r\nhello\r\n0\r\n\r\n`,
  ],
  ['a name that is no token', `${OK}X Y: 1\r\nContent-Length: 5\r\n\r\nhello`],
  ['equal lengths', `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`],
  ['no reason', 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello'],
  ['a bare CR in a value', `${OK}A: b\rc\r\nContent-Length: 5\r\n\r\nhello`],
  ['interim answers', `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`],
  ['chunks with blanks and extensions', `${CHUNKED}5 ;a=b\r\nhello\r\n0\r\nT: 1\r\n\r\n`],
];
/** And some that are an outage for them too. */
const REFUSED: [why: string, answer: string][] = [
  ['lengths that differ', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`],
  ['too few bytes', `${OK}Content-Length: 6\r\n\r\nhello`],
  ['no last chunk', `${CHUNKED}5\r\nhello\r\n`],
  ['a chunk size that is none', `${CHUNKED}zz\r\nhello\r\n0\r\n\r\n`],
  ['a header without a colon', `${OK}hello\r\nContent-Length: 5\r\n\r\nhello`],
  ['NUL in a header', `${OK}A: b\0c\r\nContent-Length: 5\r\n\r\nhello`],
  ['a negative length', `${OK}Content-Length: -5\r\n\r\nhello`],
  ['HTTP/0.9', 'hello\n'],
  ['another protocol', '220 mail.example ESMTP\r\n'],
];

/** What curl makes of the same server: whether it is well with it. */
function curl(url: string): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const child = spawn('curl', ['-s', '-o', '/dev/null', '--max-time', '5', url], { stdio: 'ignore' });
    child.on('error', () => resolve(undefined)).on('exit', (code) => resolve(code === 0));
  });
}

async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) await new Promise<void>((done) => socket.write(Buffer.of(byte), () => setImmediate(done)));
  socket.end();
}

describe('an answer that browsers and curl read is read', () => {
  test.each(READ)('%s', async (_, answer) => {
    const server = await answering(latin1(answer));
    expect(said(await checkHttp(server, body('equals', 'hello')))).toBe('up: status 200');
    expect(await curl(server.url)).not.toBe(false);
  });
});

describe('an answer that is none stays an outage', () => {
  test.each(REFUSED)('%s', async (_, answer) => {
    const server = await answering(latin1(answer));
    expect((await checkHttp(server)).reason).toMatch(/^(protocol|closed)$/);
  });
});

test.each([...READ, ...REFUSED])('in one packet, and byte by byte, the verdict is one: %s', async (_, answer) => {
  const bytes = latin1(answer);
  const bytewise = await rawServer((socket) => {
    socket.setNoDelay(true).once('data', () => void trickle(socket, bytes));
  });
  const [atOnce, inBytes] = [await checkHttp(await answering(bytes)), await checkHttp(bytewise)];
  expect(said(inBytes)).toBe(said(atOnce));
});

test('a header over two lines has a value of one', async () => {
  const server = await answering(`${OK}X-Long: first\r\n  second\r\nContent-Length: 0\r\n\r\n`);
  const assertion = { type: 'header' as const, name: 'X-Long', op: 'equals' as const, value: 'first second' };
  expect(said(await checkHttp(server, { assertions: [assertion] }))).toBe('up: status 200');
});

test.each(['constructor', '__proto__', 'hasOwnProperty', 'toString'])('the header %s is absent', async (name) => {
  const server = await answering(`${OK}Content-Length: 0\r\n\r\n`);
  const absent = { assertions: [{ type: 'header' as const, name, op: 'absent' as const }] };
  expect(said(await checkHttp(server, absent))).toBe('up: status 200');
});

test.each(['$.constructor', '$.__proto__', "$['toString']", '$..constructor', '$[?@.constructor]'])(
  'the JSON path %s is absent',
  async (path) => {
    const server = await answering(`${OK}\r\n{"a":{"b":1}}`);
    const absent = { assertions: [{ type: 'json' as const, path, op: 'absent' as const }] };
    expect(said(await checkHttp(server, absent))).toBe('up: status 200');
  },
);

test('an answer to HEAD that has a body all the same is over at its head', async () => {
  const server = await answering(`${OK}Content-Length: 5\r\n\r\nhello`);
  expect(said(await checkHttp(server, { method: 'HEAD' }))).toBe('up: status 200');
});

test('304 names a length that it does not send (louislam/uptime-kuma#7635)', async () => {
  const server = await answering('HTTP/1.1 304 Not Modified\r\nContent-Length: 5000000\r\n\r\n', false);
  expect(said(await checkHttp(server, { acceptedStatus: ['304'] }))).toBe('up: status 304');
});

test.each(['POST', 'PUT', 'PATCH'] as const)(
  '%s without a body says that its length is 0 (RFC 9110, 8.6)',
  async (method) => {
    expect(await asked(method)).toMatch(/\r\nContent-Length: 0\r\n/);
  },
);

test.each(['GET', 'HEAD', 'DELETE', 'OPTIONS'] as const)('%s without a body names no length', async (method) => {
  expect(await asked(method)).not.toMatch(/content-length/i);
});

async function asked(method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'): Promise<string> {
  let request = '';
  const server = await rawServer((socket) =>
    socket.once('data', (data) => {
      request = data.toString('latin1');
      socket.end(`${OK}\r\n`);
    }),
  );
  expect((await checkHttp(server, { method })).verdict).toBe('up');
  return request;
}

test('the status is told before the size (statping/statping#265)', async () => {
  const text = 'x'.repeat(2_000_000);
  const server = await answering(`HTTP/1.1 503 x\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
  expect(said(await checkHttp(server))).toBe('down: status 503, expected 200-299');
  const endless = await answering(`HTTP/1.1 503 x\r\n\r\n`, false);
  expect(said(await checkHttp(endless, body('contains', 'x')))).toBe('down: status 503, expected 200-299');
});

test.each([
  ['UTF-8 (nodejs/undici#2971)', Buffer.from('/café/中文?q=é'), '/caf%C3%A9/%E4%B8%AD%E6%96%87?q=%C3%A9'],
  ['Latin-1', latin1('/caf\xe9'), '/caf%E9'],
  [
    'both, and what is percent-encoded already',
    Buffer.concat([Buffer.from('/é%20 '), latin1('\xe9')]),
    '/%C3%A9%20%20%E9',
  ],
])('a Location in %s is asked for with its bytes', async (_, location, expected) => {
  const paths: string[] = [];
  const server = await rawServer((socket) =>
    socket.once('data', (data) => {
      paths.push(data.toString('latin1').split(' ')[1]!);
      if (paths.length > 1) return socket.end(`${OK}\r\n`);
      return socket.end(
        Buffer.concat([Buffer.from('HTTP/1.1 302 x\r\nLocation: '), location, Buffer.from('\r\n\r\n')]),
      );
    }),
  );
  expect(said(await checkHttp(server))).toBe('up: status 200');
  expect(paths[1]).toBe(expected);
});

test('a page is read in the character set that it names (louislam/uptime-kuma#3622)', async () => {
  const page = Buffer.concat([
    latin1(`${OK}Content-Type: text/html\r\n\r\n<meta charset="gbk">`),
    Buffer.from('d6d0cec4', 'hex'),
  ]);
  expect(said(await checkHttp(await answering(page), body('contains', '中文')))).toBe('up: status 200');
});

test.each([
  ['gzip', gzipSync('hello').subarray(0, -8)],
  ['gzip', gzipSync('hello').subarray(0, -3)],
  ['br', brotliCompressSync('hello').subarray(0, -1)],
])('%s without its end is unpacked (request/request#2492)', async (coding, packed) => {
  const head = latin1(`${OK}Content-Encoding: ${coding}\r\nContent-Length: ${packed.length}\r\n\r\n`);
  expect(said(await checkHttp(await answering(Buffer.concat([head, packed])), body('equals', 'hello')))).toBe(
    'up: status 200',
  );
});

test('slow headers are called so, once a byte has come', async () => {
  const server = await answering(`${OK}A: b\r\n`, false);
  expect(said(await checkHttp(server, {}, { timeoutMs: 200 }))).toBe(
    'down: timeout after 200 ms while reading the headers',
  );
});

test('an empty Location leads nowhere', async () => {
  const server = await answering('HTTP/1.1 302 Found\r\nLocation: \r\n\r\n');
  expect(said(await checkHttp(server))).toBe('down: status 302, expected 200-299');
  expect(said(await checkHttp(server, { acceptedStatus: ['302'] }))).toBe('up: status 302');
});
