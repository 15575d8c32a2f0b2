import { until } from '@tocsin/testing';
import { describe, expect, test } from 'vitest';
import { checkTcp, rawServer, said } from './bench.ts';

describe('a tcp check', () => {
  test('is up when the port accepts the connection', async () => {
    const server = await rawServer(() => undefined);
    const finding = await checkTcp(server);
    expect(said(finding)).toBe('up: connected');
    expect(Object.keys(finding.timings)).toEqual(['connectMs']);
    await until(() => server.sockets.size === 0);
  });

  test('is down when nobody listens', async () => {
    expect(said(await checkTcp({ port: 1 }))).toBe('down: connect: connection refused 127.0.0.1:1');
  });

  test('sends its text and waits for the expected one, in however many pieces it comes', async () => {
    const server = await rawServer((socket) => {
      socket.on('data', (data: Buffer) => {
        if (data.toString() !== 'PING\r\n') return socket.destroy();
        socket.write('+PO');
        return setTimeout(() => socket.write('NG\r\n'), 20);
      });
    });
    const finding = await checkTcp(server, { send: 'PING\r\n', expect: '+PONG' });
    expect(said(finding)).toBe('up: received "+PONG"');
    expect(finding.timings.transferMs).toBeGreaterThan(10);
  });

  test('takes a greeting that comes at once', async () => {
    const server = await rawServer((socket) => socket.write('220 mail.example ESMTP\r\n'));
    expect(said(await checkTcp(server, { expect: '220 ' }))).toBe('up: received "220 "');
  });

  test('is down when something else comes, and then nothing', async () => {
    const server = await rawServer((socket) => socket.write('554 go away\r\n'));
    expect(said(await checkTcp(server, { expect: '220 ' }, { timeoutMs: 150 }))).toBe(
      'down: timeout after 150 ms while waiting for "220 "',
    );
  });

  test('is down when the server closes first, and says what came instead', async () => {
    const server = await rawServer((socket) => socket.end(Buffer.from('554 \xff\xfego\r\naway', 'latin1')));
    expect(said(await checkTcp(server, { expect: '220 ' }))).toBe(
      'down: closed: the server closed the connection before "220 " came (received "554 \ufffd\ufffdgo away")',
    );
  });

  test('does not read for ever', async () => {
    const server = await rawServer((socket) => {
      const pour = (): void => {
        while (socket.writable && socket.write('x'.repeat(10_000)));
      };
      socket.on('drain', pour);
      pour();
    });
    expect(said(await checkTcp(server, { expect: 'needle' }))).toBe('down: expect: no "needle" in the first 64 KiB');
    await until(() => server.sockets.size === 0);
  });

  test('is down when the connection is reset', async () => {
    const server = await rawServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect((await checkTcp(server, { send: 'x', expect: 'y' })).reason).toBe('closed');
  });
});
