import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ChannelSpec } from '@tocsin/contracts';
import { newId } from '@tocsin/core';
import { atTheEnd, certificate } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import type { SendOutcome } from '../src/channels/sender.ts';
import { WebhookSender } from '../src/channels/webhook/webhook.ts';

const TIMEOUT_MS = 4_000;
const sender = new WebhookSender({ refusal: () => undefined }, TIMEOUT_MS);
type Settings = Extract<ChannelSpec, { kind: 'webhook' }>['settings'];

async function send(settings: Settings, timeoutMs = TIMEOUT_MS): Promise<SendOutcome & { tookMs: number }> {
  const notification = {
    id: newId(),
    channelId: newId(),
    channelName: 'hook',
    kind: 'test' as const,
    step: 0,
    status: 'sending' as const,
    attempts: 1,
    to: '',
    trace: {},
    createdAt: 0,
  };
  const began = performance.now();
  const channel = { kind: 'webhook' as const, name: 'hook', settings };
  const outcome = await sender.send({ channel, notification, now: 0, signal: AbortSignal.timeout(timeoutMs) });
  return { ...outcome, tookMs: performance.now() - began };
}

/** A receiver that hears a whole request, and then does as it is told with the connection. */
async function receiver(act: (socket: Socket, request: string) => void): Promise<string> {
  const server = createServer((socket) => {
    let heard = '';
    socket
      .on('error', () => undefined)
      .on('data', (chunk: Buffer) => {
        const before = heard;
        heard += chunk.toString('latin1');
        if (!before.endsWith('}') && heard.endsWith('}')) act(socket, heard);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atTheEnd(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}

const OK = 'HTTP/1.1 200 OK\r\n';

describe.concurrent('what has answered with 2xx is delivered', () => {
  it.each<[string, string | ((socket: Socket) => void)]>([
    ['100 Continue before it', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['102 and 103 before it', `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}\r\n`],
    ['64 interim answers before it', `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(64)}${OK}\r\n`],
    ['a body that never ends', `${OK}\r\naccepted`],
    ['a body of a length that never comes', `${OK}Content-Length: 999\r\n\r\nx`],
    ['a chunked body that never ends', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`],
    ['broken chunks', `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n`],
    ['a length and chunks at once', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a length that is no number', `${OK}Content-Length: many\r\n\r\nok`],
    ['two lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nok`],
    ['more than its length', `${OK}Content-Length: 1\r\nConnection: close\r\n\r\nok and more`],
    ['gzip that is none', `${OK}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope`],
    ['lines that end in LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    ['a folded header', `${OK}X-Long: a\r\n  b\r\n\r\n`],
    ['a header without a colon', `${OK}nonsense\r\n\r\n`],
    ['control characters in a header', `${OK}Set-Cookie: a=\u0001\r\n\r\n`],
    ['no words after the status', 'HTTP/1.1 202\r\n\r\n'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nok'],
    [
      'a reset in its body',
      (socket) => socket.write(`${OK}Content-Length: 9\r\n\r\nx`, () => setTimeout(() => socket.resetAndDestroy(), 30)),
    ],
    [
      'a body without end',
      (socket) => {
        const flow = (): void => void (socket.destroyed || socket.write('x'.repeat(65_536), () => setImmediate(flow)));
        socket.write(`${OK}\r\n`, flow);
      },
    ],
    [
      'a head in crumbs',
      (socket) => {
        const bytes = [...Buffer.from(`${OK}Content-Length: 2\r\n\r\nok`)];
        const next = (): void =>
          void (bytes.length > 0 && socket.write(Buffer.of(bytes.shift()!), () => setTimeout(next, 2)));
        next();
      },
    ],
    [
      'a head near the end of its time, and a body without end',
      (socket) => setTimeout(() => socket.write(`${OK}\r\naccepted`), TIMEOUT_MS - 400),
    ],
  ])('with %s', async (_, answer) => {
    const url = await receiver((socket) => (typeof answer === 'string' ? socket.write(answer) : answer(socket)));
    const outcome = await send({ url });
    expect(outcome).toMatchObject({ result: 'sent', answer: expect.stringMatching(/^status 20\d/) as string });
    expect(outcome.tookMs).toBeLessThan(TIMEOUT_MS);
  });
});

describe('what has not is not', () => {
  it.each([
    ['nothing', ''],
    ['no status line', '<html>hello</html>\r\n\r\n'],
    ['HTTP/0.9', 'hello'],
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['interim answers alone', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['a flood of them before it', `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(65)}${OK}\r\n`],
    [
      '101, which nobody asked for',
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n${OK}\r\n`,
    ],
    ['a head that breaks off', `${OK}Content-Type: text`],
    ['a status that is none', 'HTTP/1.1 20 OK\r\n\r\n'],
  ])('%s, and a closed connection', async (_, answer) => {
    const url = await receiver((socket) => socket.end(answer));
    expect(await send({ url })).toMatchObject({ result: 'retry' });
  });

  it('nothing at all within its time', async () => {
    const url = await receiver(() => undefined);
    expect(await send({ url }, 300)).toMatchObject({ result: 'retry' });
  });

  it('a redirect, which is not followed', async () => {
    const url = await receiver((socket) => socket.end('HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:9/\r\n\r\n'));
    expect(await send({ url })).toMatchObject({ result: 'refused', answer: 'status 307' });
  });
});

describe('the credentials of an address', () => {
  it.each([
    ['bot:50%off', 'bot:50%off'],
    ['bot:a%40b%25', 'bot:a@b%'],
    ['b%C3%BCt:%E4', 'büt:\u00e4'],
    ['key:', 'key:'],
    [':token', ':token'],
  ])('%s go out as the bytes that they stand for', async (given, expected) => {
    let authorization = '';
    const url = await receiver((socket, request) => {
      authorization = /^authorization: Basic (.*)\r$/im.exec(request)?.[1] ?? '';
      socket.end(`${OK}\r\n`);
    });
    expect(await send({ url: url.replace('//', `//${given}@`) })).toMatchObject({ result: 'sent' });
    const bytes = expected === 'büt:\u00e4' ? Buffer.from('62c3bc743ae4', 'hex') : Buffer.from(expected);
    expect(Buffer.from(authorization, 'base64')).toEqual(bytes);
  });
});

describe('what a receiver says', () => {
  it('is kept to its status and 200 characters, without what is secret in its address', async () => {
    const said = 'you called /services/T0123/B-secret-path?key=k3y-1234 with sup3rsecret and YWJjOnBhNTUtdzByZA== ';
    const url = await receiver((socket) => socket.end(`${OK}\r\n${said}${'x'.repeat(5_000)}`));
    const secret = {
      url: `${url.replace('//', '//abc:pa55-w0rd@').replace('/hook', '/services/T0123/B-secret-path?key=k3y-1234')}`,
      secret: 'sup3rsecret',
    };
    const { answer } = await send(secret);
    expect(answer.length).toBeLessThanOrEqual('status 200: '.length + 200);
    for (const word of ['B-secret-path', 'k3y-1234', 'sup3rsecret', 'YWJj', 'pa55']) expect(answer).not.toContain(word);
  });

  it('is kept without a secret that the end of what is read cuts off', async () => {
    const url = await receiver((socket) => socket.end(`${OK}\r\n${' '.repeat(4_090)}sup3rsecret`));
    expect((await send({ url, secret: 'sup3rsecret' })).answer).not.toContain('sup3r');
  });
});

describe('a receiver with a certificate of its own', () => {
  it('is trusted where its authority is given, or where verification is off, and nowhere else', async () => {
    const { key, cert } = await certificate('valid');
    const server = createTlsServer({ key, cert }, (socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(`${OK}\r\n`));
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atTheEnd(() => void server.close());
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    expect(await send({ url })).toMatchObject({
      result: 'retry',
      answer: expect.stringMatching(/self.signed|certificate/i) as string,
    });
    expect(await send({ url, tls: { verify: true, ca: cert } })).toMatchObject({ result: 'sent' });
    expect(await send({ url, tls: { verify: false } })).toMatchObject({ result: 'sent' });
    expect(await send({ url: url.replace('localhost', '127.0.0.2'), tls: { verify: true, ca: cert } })).toMatchObject({
      result: 'retry',
    });
  });
});
