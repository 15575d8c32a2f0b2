import type { Socket } from 'node:net';
import { until } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { type HttpSend, sendHttp } from '../src/index.ts';
import { certificate, LOOPBACK, rawServer, secureServer } from './bench.ts';

const OK = 'HTTP/1.1 200 OK\r\n';

function send(url: string, more: Partial<HttpSend> = {}) {
  return sendHttp({
    url,
    method: 'POST',
    body: '{}',
    targets: LOOPBACK,
    timeoutMs: 5_000,
    readBytes: 100,
    readMs: 200,
    ...more,
  });
}

/** Answers once the head of a request has come, and leaves the connection open unless told otherwise. */
function receiver(answer: (socket: Socket, request: string) => void) {
  return rawServer((socket) => socket.once('data', (data) => answer(socket, data.toString('latin1'))));
}

describe('a head is an answer', () => {
  test.each([
    ['with a body', `${OK}Content-Length: 2\r\n\r\nok`, 'ok'],
    [
      'after interim answers',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
      'ok',
    ],
    ['with a body that does not end', `${OK}\r\nok`, 'ok'],
    ['with less body than it says', `${OK}Content-Length: 9\r\n\r\nok`, 'ok'],
    ['with chunks that are none', `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n`, 'ok'],
    ['with no body', 'HTTP/1.1 204 No Content\r\n\r\n', ''],
    ['with more body than is wanted', `${OK}\r\n${'x'.repeat(200_000)}`, 'x'.repeat(100)],
  ])('%s', async (_, answer, start) => {
    const server = await receiver((socket) => socket.write(answer));
    const sent = await send(server.url);
    expect(Math.floor(sent.status / 100)).toBe(2);
    expect(sent.bodyStart.toString()).toBe(start);
    await until(() => server.sockets.size === 0, { what: 'the connection to be closed' });
  });

  test('which is not waited for where nothing of its body is wanted', async () => {
    const server = await receiver((socket) => socket.write(`${OK}Retry-After: 3\r\nContent-Length: 9\r\n\r\n`));
    const sent = await send(server.url, { readBytes: 0, readMs: 60_000 });
    expect(sent.header('Retry-After')).toBe('3');
    expect(sent.header('constructor')).toBeUndefined();
  });

  test('though the connection is reset behind it', async () => {
    const server = await receiver((socket) =>
      socket.write(`${OK}Content-Length: 9\r\n\r\nok`, () => setTimeout(() => socket.resetAndDestroy(), 50)),
    );
    expect((await send(server.url, { readMs: 60_000 })).bodyStart.toString()).toBe('ok');
  });
});

test('the request is the one that was asked for', async () => {
  let asked = '';
  const server = await receiver((socket, request) => {
    asked = request;
    socket.end(`${OK}\r\n`);
  });
  await send(`${server.url}hook?a=1`, {
    headers: { 'X-Id': '7', 'user-agent': 'me', 'Content-Length': '99' },
    body: Buffer.from('é'),
  });
  expect(asked).toMatch(/^POST \/hook\?a=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  expect(asked).toContain('\r\nX-Id: 7\r\nuser-agent: me\r\n');
  expect(asked).toContain('\r\nContent-Length: 2\r\n');
  expect(asked).toContain('\r\nConnection: close\r\n');
  expect(asked.endsWith('\r\n\r\n\xc3\xa9')).toBe(true);
});

test('a private authority is one for this request', async () => {
  const pems = await certificate({ ip: '127.0.0.1' });
  const server = await secureServer(pems, (_, response) => response.end('ok'));
  expect((await send(server.url, { tls: { ca: pems.cert } })).status).toBe(200);
  expect((await send(server.url, { tls: { verify: false } })).status).toBe(200);
  await expect(send(server.url)).rejects.toMatchObject({ name: 'CheckFailure', reason: 'tls' });
  await expect(send(server.url, { tls: { ca: 'none' } })).rejects.toMatchObject({ reason: 'settings' });
});

test('a failure is named, and says what happened', async () => {
  const silent = await receiver(() => undefined);
  const closing = await receiver((socket) => socket.end());
  const mail = await receiver((socket) => socket.end('220 mail\r\n'));
  const failed = (message: string) => expect.objectContaining({ name: 'CheckFailure', message }) as unknown;
  await expect(send('http://127.0.0.1:1/')).rejects.toEqual(failed('connect: connection refused 127.0.0.1:1'));
  await expect(send(silent.url, { timeoutMs: 100 })).rejects.toEqual(
    failed('timeout after 100 ms while waiting for the first byte'),
  );
  await expect(send(closing.url)).rejects.toEqual(
    failed('closed: the server closed the connection before it answered'),
  );
  await expect(send(mail.url)).rejects.toMatchObject({ reason: 'protocol' });
  await expect(send(silent.url, { headers: { 'X-A': 'a\r\nX-B: b' } })).rejects.toMatchObject({ reason: 'settings' });
  const stop = new AbortController();
  const sending = send(silent.url, { signal: stop.signal });
  stop.abort();
  await expect(sending).rejects.toMatchObject({ reason: 'aborted' });
  await until(() => silent.sockets.size === 0);
});
