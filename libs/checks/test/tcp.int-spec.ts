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
      'down: timeout after 150 ms while waiting for "220 "; got "554 go away "',
    );
  });

  test.each([1, 10])('looks at the first 64 KiB alone, in however many packets (%i) they come', async (pieces) => {
    const answer = (before: number) =>
      rawServer((socket) => {
        const all = Buffer.from(`${'x'.repeat(before)}PONG`);
        const each = Math.ceil(all.length / pieces);
        for (let at = 0; at < all.length; at += each) {
          setTimeout(() => socket.write(all.subarray(at, at + each)), (at / each) * 5);
        }
      });
    const found = async (before: number) => said(await checkTcp(await answer(before), { expect: 'PONG' }));
    expect(await found(65_532)).toBe('up: received "PONG"');
    for (const before of [65_533, 65_536, 100_000]) {
      expect(await found(before)).toBe('down: expect: no "PONG" in the first 64 KiB');
    }
  });

  test('takes a flood of single bytes for what it is', async () => {
    const server = await rawServer((socket) => {
      socket.setNoDelay(true);
      for (let n = 0; n < 20_000; n++) socket.write('x');
      socket.write('PONG');
    });
    expect(said(await checkTcp(server, { expect: 'PONG' }))).toBe('up: received "PONG"');
  });

  test('sends and waits for bytes', async () => {
    const server = await rawServer((socket) => {
      socket.on('data', (data: Buffer) => {
        if (data.toString('hex') === '0001ff0a') socket.write(Buffer.from('ff00feff', 'hex'));
      });
    });
    expect(said(await checkTcp(server, { sendHex: '00 01 FF\n0a', expectHex: '00fe' }))).toBe(
      'up: received the bytes 00fe',
    );
    const other = await checkTcp(server, { sendHex: '0001ff0a', expectHex: 'aa' }, { timeoutMs: 100 });
    expect(other.message).toMatch(/^timeout after 100 ms while waiting for the bytes aa; got /);
  });

  test('asks for a name with other letters in its ASCII form', async () => {
    expect((await checkTcp({ port: 1 }, { host: 'bücher.invalid' })).message).toMatch(
      /^dns: .*xn--bcher-kva\.invalid$/,
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
