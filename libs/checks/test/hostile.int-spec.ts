import type { Socket } from 'node:net';
import { brotliCompressSync } from 'node:zlib';
import { until } from '@tocsin/testing';
import { expect, test } from 'vitest';
import { bodyMemory } from '../src/http/body-buffer.ts';
import { certificate, checkHttp, checkTcp, rawServer, webServer } from './bench.ts';
import { sendNothing } from './endless-records.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const HTML = { assertions: [{ type: 'body' as const, op: 'contains' as const, value: 'x' }] };

/** Writes as fast as it is read, for as long as it is read. */
function pour(head: string, block: Buffer) {
  return (socket: Socket): void => {
    socket.write(head);
    const go = (): void => {
      while (socket.writable && socket.write(block));
    };
    socket.on('drain', go);
    go();
  };
}

/** Writes one small piece after the other, each in a packet. */
function drip(head: string, piece: string) {
  return (socket: Socket): void => {
    socket.setNoDelay(true).write(head);
    const go = (): void => {
      if (socket.writable) socket.write(piece, () => setImmediate(go));
    };
    go();
  };
}

const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const hostile: [what: string, serve: (socket: Socket) => void, reason: string][] = [
  ['interim answers without end', pour('', Buffer.from('HTTP/1.1 102 x\r\n\r\n'.repeat(1_000))), 'protocol'],
  ['interim answers one by one', drip('', 'HTTP/1.1 102 x\r\n\r\n'), 'protocol'],
  ['chunks of one byte', pour(CHUNKED, Buffer.from('1\r\nx\r\n'.repeat(10_000))), 'protocol'],
  ['a chunk extension without end', pour(`${CHUNKED}5;`, Buffer.alloc(65_536, 'a')), 'protocol'],
  ['a trailer without end', pour(`${CHUNKED}0\r\n`, Buffer.from('a: b\r\n'.repeat(10_000))), 'protocol'],
  ['a header without end', pour(`${OK}a: `, Buffer.alloc(65_536, 'a')), 'protocol'],
  ['a body without end', pour(`${OK}\r\n`, Buffer.alloc(65_536, 'a')), 'body'],
  ['headers byte by byte', drip(OK, 'a'), 'timeout'],
  ['a body byte by byte', drip(`${OK}\r\n`, 'a'), 'timeout'],
];

test.each(hostile)('%s take little of the prober, and end', async (_, serve, reason) => {
  const server = await rawServer((socket) => socket.once('data', () => serve(socket)));
  // What ends by a bound ends long before this one, unless this machine is very busy.
  const timeoutMs = reason === 'timeout' ? 600 : 20_000;
  let heldUpMs = 0;
  const before = process.threadCpuUsage();
  const finding = await checkHttp(server, HTML, { timeoutMs, heldUp: (ms) => (heldUpMs += ms) });
  const { user, system } = process.threadCpuUsage(before);
  expect(finding).toMatchObject({ verdict: 'down', reason });
  expect(heldUpMs).toBeLessThan(200);
  // Of what comes in crumbs `crumbs.spec.ts` counts the reads: here the server alone may take all of the time.
  expect((user + system) / 1_000).toBeLessThan(reason.startsWith('timeout') ? Infinity : timeoutMs);
  await until(() => server.sockets.size === 0);
});

test.each(['tickets', 'key updates'] as const)('%s of TLS without end are an end of the check', async (what) => {
  const pems = await certificate({ ip: '127.0.0.1' });
  const server = await rawServer((socket) => sendNothing(socket, what, { key: pems.private, cert: pems.cert }));
  const url = server.url.replace('http', 'https');
  const tls = { verify: false };
  const o = { timeoutMs: 20_000 };
  const finding =
    what === 'tickets'
      ? await checkHttp({ url }, { tls }, o)
      : await checkTcp(server, { tls, send: 'x', expect: 'y' }, o);
  const message = 'tls: the server sends tickets or keys without end, and little else';
  expect(finding).toMatchObject({ verdict: 'down', reason: 'tls', message });
  await until(() => server.sockets.size === 0);
});

test('bodies that unpack to much are unpacked a few at a time', async () => {
  const bomb = brotliCompressSync(Buffer.alloc(10_000_000));
  const server = await rawServer((socket) =>
    socket.once('data', () => socket.end(Buffer.concat([Buffer.from(`${OK}Content-Encoding: br\r\n\r\n`), bomb]))),
  );
  const findings = await Promise.all(
    Array.from({ length: 12 }, () => checkHttp(server, { ...HTML, maxBodyBytes: 10_000_000 }, { timeoutMs: 20_000 })),
  );
  for (const finding of findings) expect(finding.message).toBe('body does not contain "x"');
});

test('what the assertions of one check take has a bound for all of them', async () => {
  const server = await rawServer((socket) =>
    socket.once('data', () => socket.end(`${OK}\r\n${JSON.stringify(nested(12))}`)),
  );
  const assertions = Array.from({ length: 40 }, (_, n) => ({
    type: 'json' as const,
    path: `$..[?@..[?@..*]]..x${n}`,
    op: 'exists' as const,
  }));
  let heldUpMs = 0;
  const finding = await checkHttp(server, { assertions }, { timeoutMs: 60_000, heldUp: (ms) => (heldUpMs += ms) });
  expect(finding.verdict === 'down' || finding.reason === 'resources').toBe(true);
  expect(heldUpMs).toBeGreaterThan(0);
  expect(heldUpMs).toBeLessThan(4_000); // 40 of them alone are bounded by 4 s of CPU, on an idle machine
}, 60_000);

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1), b: nested(depth - 1) };
}

test('what a body unpacks to counts among the memory of all bodies', async () => {
  const bomb = brotliCompressSync(Buffer.alloc(8_388_608, 'x'));
  const server = await webServer((_, response) => response.setHeader('content-encoding', 'br').end(bomb));
  const settings = { ...HTML, maxBodyBytes: 10_485_760 };
  const before = bodyMemory.held;
  bodyMemory.take(60 * 1_048_576);
  const crowded = await checkHttp(server, settings);
  bodyMemory.give(60 * 1_048_576);
  expect(crowded.reason).toBe('resources');
  expect((await checkHttp(server, settings)).reason).toBe('ok');
  expect(bodyMemory.held).toBe(before);
});
