import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import { until } from '@tocsin/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { certificate, checkHttp, listen, type Pems, type Running, said } from './bench.ts';

let pems: Pems;
beforeAll(async () => {
  pems = await certificate({ ip: '127.0.0.1' });
});

/** A server that agrees to HTTP/2 and, once it was asked, says whatever the test says. */
async function framesServer(onRequest: (socket: TLSSocket) => void): Promise<Running> {
  const sockets = new Set<Socket>();
  const server = createServer({ key: pems.private, cert: pems.cert, ALPNProtocols: ['h2'] }, (socket) => {
    socket.setNoDelay(true).on('error', () => undefined);
    socket.once('data', () => onRequest(socket)).resume();
  });
  const port = await listen(server, sockets);
  return { port, url: `https://127.0.0.1:${port}/`, sockets };
}

const TYPES = { data: 0, headers: 1, reset: 3, settings: 4, push: 5, ping: 6, goaway: 7, window: 8, continuation: 9 };
const [END_STREAM, END_HEADERS] = [1, 4];

/** A frame (RFC 9113, section 4.1). */
function frame(type: keyof typeof TYPES, flags: number, stream: number, payload: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(TYPES[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** `:status: 200`, and a field as it is, in HPACK (RFC 7541, section 6). */
const STATUS = '\x88';
const INTERIM = '\x08\x03102';
const literal = (name: string, value: string): string =>
  `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`;
const SETTINGS = frame('settings', 0, 0);
const HEAD = Buffer.concat([SETTINGS, frame('headers', END_HEADERS, 1, STATUS)]);
const whole = (fields: string): Buffer =>
  Buffer.concat([SETTINGS, frame('headers', END_HEADERS | END_STREAM, 1, STATUS + fields)]);

/** Writes as fast as it is read, for as long as it is read. */
const pour =
  (head: Buffer, block: Buffer, times = 1_000) =>
  (socket: Socket): void => {
    const many = Buffer.concat(Array.from({ length: times }, () => block));
    socket.write(head);
    const go = (): void => {
      while (socket.writable && socket.write(many));
    };
    socket.on('drain', go);
    go();
  };

/** Writes one frame after the other, each in a packet. */
const drip =
  (head: Buffer, piece: Buffer) =>
  (socket: Socket): void => {
    socket.write(head);
    const go = (): void => {
      if (socket.writable) socket.write(piece, () => setImmediate(go));
    };
    go();
  };

const KIB = 'x'.repeat(1_024);
const hostile: [what: string, serve: (socket: Socket) => void, reason: string][] = [
  ['SETTINGS without end', pour(SETTINGS, SETTINGS), 'protocol'],
  ['PING without end', pour(SETTINGS, frame('ping', 0, 0, '12345678')), 'protocol'],
  ['WINDOW_UPDATE without end', pour(SETTINGS, frame('window', 0, 1, '\0\0\0\x01'), 10_000), 'protocol'],
  ['interim answers without end', pour(SETTINGS, frame('headers', END_HEADERS, 1, INTERIM)), 'protocol'],
  ['a head without end', pour(Buffer.concat([SETTINGS, frame('headers', 0, 1, STATUS)]), frame('continuation', 0, 1, literal('a', 'b'))), 'protocol'],
  ['trailers without end', pour(Buffer.concat([HEAD, frame('headers', END_STREAM, 1)]), frame('continuation', 0, 1, literal('a', 'b'))), 'protocol'],
  ['pushes that nobody asked for', pour(HEAD, frame('push', END_HEADERS, 1, '\0\0\0\x02')), 'protocol'],
  ['frames of one byte', pour(HEAD, frame('data', 0, 1, 'y'), 10_000), 'protocol'],
  ['frames of no byte', pour(HEAD, frame('data', 0, 1), 10_000), 'protocol'],
  ['a body without end', pour(HEAD, frame('data', 0, 1, KIB)), 'body'],
  ['PING one by one', drip(SETTINGS, frame('ping', 0, 0, '12345678')), 'timeout, or protocol'],
  ['a body byte by byte', drip(HEAD, frame('data', 0, 1, 'y')), 'timeout, or protocol'],
]; // prettier-ignore

const check = (server: Running, settings = {}, context = {}) =>
  checkHttp(server, { tls: { ca: pems.cert }, assertions: [{ type: 'body', op: 'contains', value: 'x' }], ...settings }, context); // prettier-ignore

test.each(hostile)('%s take little of the prober, and end', async (_, serve, reason) => {
  const server = await framesServer(serve);
  // Of what comes in crumbs the deadline is reached, or on a quick machine the bound before it.
  const timeoutMs = reason.startsWith('timeout') ? 600 : 20_000;
  let heldUpMs = 0;
  const before = process.threadCpuUsage();
  const finding = await check(server, {}, { timeoutMs, heldUp: (ms: number) => (heldUpMs += ms) });
  const { user, system } = process.threadCpuUsage(before);
  expect(finding.verdict).toBe('down');
  expect(reason.split(', or ')).toContain(finding.reason);
  expect(heldUpMs).toBeLessThan(200);
  // Of what comes in crumbs `crumbs.spec.ts` counts the reads: here the server alone may take all of the time.
  expect((user + system) / 1_000).toBeLessThan(reason.startsWith('timeout') ? Infinity : timeoutMs);
  await until(() => server.sockets.size === 0, { what: 'all connections to be closed' });
});

describe('what is no answer', () => {
  const once = (bytes: Buffer | string) => framesServer((socket) => void socket.write(bytes));
  test.each<[string, Buffer | string, string]>([
    ['HTTP/1.1 after HTTP/2 was agreed on', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx', 'protocol: the answer is not valid HTTP/2 (Protocol error)'],
    ['a head of 65 KiB', Buffer.concat([
      SETTINGS,
      frame('headers', 0, 1, STATUS + literal('a', 'b'.repeat(100)).repeat(140)),
      ...Array.from({ length: 3 }, () => frame('continuation', 0, 1, literal('a', 'b'.repeat(100)).repeat(140))),
      frame('continuation', END_HEADERS, 1, literal('a', 'b'.repeat(100)).repeat(100)),
    ]), 'protocol: the headers are larger than 64 KiB'],
    ['a head of 3,000 fields', whole('\x90'.repeat(3_000)), 'protocol: the headers are larger than 64 KiB'],
    ['101', Buffer.concat([SETTINGS, frame('headers', END_HEADERS, 1, '\x08\x03101')]), 'protocol: the answer is not valid HTTP/2 (PROTOCOL_ERROR)'],
    ['no status', Buffer.concat([SETTINGS, frame('headers', 5, 1, literal('a', 'b'))]), 'protocol: the answer is not valid HTTP/2 (PROTOCOL_ERROR)'],
    ['a field of a connection', whole(literal('connection', 'close')), 'protocol: the answer is not valid HTTP/2 (PROTOCOL_ERROR)'],
    ['a refused stream', Buffer.concat([SETTINGS, frame('reset', 0, 1, '\0\0\0\x07')]), 'closed: the server gave up the request before it answered (REFUSED_STREAM)'],
    ['a cancelled stream', Buffer.concat([SETTINGS, frame('reset', 0, 1, '\0\0\0\x08')]), 'closed: the server gave up the request before it answered (CANCEL)'],
    ['a stream that ends before it begins', Buffer.concat([SETTINGS, frame('reset', 0, 1, '\0\0\0\0')]), 'closed: the server gave up the request before it answered (NO_ERROR)'],
    ['GOAWAY that passes the request over', Buffer.concat([SETTINGS, frame('goaway', 0, 0, '\0\0\0\0\0\0\0\0')]), 'closed: the server gave up the request before it answered (REFUSED_STREAM)'],
    ['a length that the stream ends before', Buffer.concat([SETTINGS, frame('headers', END_HEADERS, 1, STATUS + literal('content-length', '5')), frame('data', 0, 1, 'x'), frame('reset', 0, 1, '\0\0\0\0')]), 'closed: the server closed the connection before the answer was whole'],
  ])('%s', async (_, bytes, expected) => {
    expect(said(await check(await once(bytes), {}, { timeoutMs: 3_000 }))).toBe(`down: ${expected}`);
  });
}); // prettier-ignore

describe('what is an answer', () => {
  const data = frame('data', END_STREAM, 1, 'x');
  test.each<[string, Buffer]>([
    ['that ends with the connection', Buffer.concat([HEAD, data])],
    ['with odd bytes in a field', Buffer.concat([SETTINGS, frame('headers', END_HEADERS, 1, STATUS + literal('a', ' \xff ')), data])],
    ['after frames of no kind', Buffer.concat([HEAD, Buffer.concat([frame('data', 0, 1, 'x')]).fill(0xee, 3, 4), data])],
    ['before a GOAWAY that speaks of an error', Buffer.concat([HEAD, data, frame('goaway', 0, 0, '\0\0\0\x01\0\0\0\x0b')])],
    ['before what is no frame', Buffer.concat([HEAD, data, Buffer.alloc(100, 0xff)])],
    ['before a reset of the stream', Buffer.concat([HEAD, data, frame('reset', 0, 1, '\0\0\0\x02')])],
    ['with bytes after its end', Buffer.concat([HEAD, data, frame('data', 0, 1, 'late')])],
  ])('%s', async (_, bytes) => {
    const server = await framesServer((socket) => void socket.end(bytes));
    expect(said(await check(server))).toBe('up: status 200');
  });
}); // prettier-ignore

test('whatever a server of HTTP/2 answers, a check ends in time with a finding and leaves nothing behind', async () => {
  const handles = (): number =>
    process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Pipe|Timeout|GetAddrInfo/.test(name)).length;
  const pieces = fc.oneof(
    fc.constantFrom(
      SETTINGS,
      HEAD,
      frame('headers', END_HEADERS, 1, INTERIM),
      frame('headers', END_HEADERS | END_STREAM, 1, STATUS),
      frame('data', 0, 1, 'hello'),
      frame('data', END_STREAM, 1, 'x'),
      frame('reset', 0, 1, '\0\0\0\x02'),
      frame('reset', 0, 1, '\0\0\0\0'),
      frame('goaway', 0, 0, '\0\0\0\x01\0\0\0\x0b'),
      frame('goaway', 0, 0, '\0\0\0\x01\0\0\0\0'),
    ),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  );
  let script: { answer: Buffer[]; ending: string };
  const server = await framesServer((socket) => {
    for (const piece of script.answer) socket.write(piece);
    if (script.ending === 'end') socket.end();
    if (script.ending === 'reset') setImmediate(() => server.sockets.forEach((each) => each.resetAndDestroy()));
  });
  const settingsKey = `${server.url}.1`;
  const before = handles();
  const known = /^(ok|timeout|closed|protocol|assertion|connect|tls)$/; // a reset may come in the next handshake
  const endings = fc.constantFrom('end', 'reset', 'stay');
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 6 }), endings, async (answer, ending) => {
      script = { answer, ending };
      const finding = await check(server, {}, { timeoutMs: 60, settingsKey });
      expect(finding.reason).toMatch(known);
      expect(finding.message).toMatch(/^[^\p{Cc}]+$/u);
    }),
    { numRuns: 150 },
  );
  await until(() => server.sockets.size === 0, { what: 'all connections to be closed' });
  await until(() => handles() <= before + 1, { what: 'all handles to be gone' });
});
