import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { until } from '@tocsin/testing';
import { expect, test } from 'vitest';
import { answering, checkHttp, rawServer } from './bench.ts';

/** Handles that keep the event loop alive. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Pipe|Timeout|GetAddrInfo/.test(name)).length;
}

const HEAD = 'HTTP/1.1 200 OK\r\n';
const pieces = fc.oneof(
  fc.constantFrom(
    HEAD,
    'HTTP/1.1 302 Found\r\nlocation: /again\r\n\r\n',
    'content-length: 5\r\n',
    'content-encoding: gzip\r\n',
    'transfer-encoding: chunked\r\n',
    '\r\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    'hello',
    '{"a":1}',
    'HTTP/1.1 100 Continue\r\n\r\n',
  ),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);
const endings = fc.constantFrom('end', 'reset', 'stay');

test('whatever a server answers, a check ends in time with a finding and leaves nothing behind', async () => {
  let script: { answer: string[]; ending: string };
  const server = await rawServer((socket) => {
    socket.on('data', () => {
      for (const piece of script.answer) socket.write(Buffer.from(piece, 'latin1'));
      if (script.ending === 'end') socket.end();
      if (script.ending === 'reset') setImmediate(() => socket.resetAndDestroy());
    });
  });
  const before = handles();
  const known = /^(ok|timeout|closed|protocol|status|redirects|body|assertion|connect)$/;
  await fc.assert(
    fc.asyncProperty(fc.array(pieces, { maxLength: 6 }), endings, fc.boolean(), async (answer, ending, asserts) => {
      script = { answer, ending };
      const assertions = asserts ? [{ type: 'json' as const, path: '$.a', op: 'equals' as const, value: 1 }] : [];
      const finding = await checkHttp(server, { assertions }, { timeoutMs: 60 });
      expect(finding.reason).toMatch(known);
      expect(finding.message.length).toBeLessThanOrEqual(500);
      expect(finding.message).toMatch(/^[^\p{Cc}]+$/u);
    }),
    { numRuns: 300 },
  );
  await until(() => server.sockets.size === 0, { what: 'all connections to be closed' });
  await until(() => handles() <= before + 1, { what: 'all handles to be gone' });
}, 60_000);

test('a check that is done keeps no timer and no listener until its timeout', async () => {
  const server = await answering('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  const stop = new AbortController();
  await checkHttp(server, {}, { timeoutMs: 60_000, signal: stop.signal });
  await until(() => server.sockets.size === 0);
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  for (let i = 0; i < 20; i++) await checkHttp(server, {}, { timeoutMs: 60_000 + i, signal: stop.signal });
  const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  expect(after).toBeLessThan(before + 10);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
});
