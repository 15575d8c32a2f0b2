import { parseTargets, TargetRules } from '@tocsin/core';
import { describe, expect, test } from 'vitest';
import { openConnection } from '../src/index.ts';
import { checkHttp, checkTcp, LOOPBACK, rawServer, said, webServer } from './bench.ts';

const byDefault = new TargetRules({});

describe('a target that this deployment does not connect to', () => {
  test('is down with a reason of its own, and is not connected to', async () => {
    const server = await rawServer(() => undefined);
    let connected = 0;
    const counted = await rawServer(() => connected++);
    const finding = await checkTcp(counted, {}, { targets: byDefault });
    expect(said(finding)).toBe(
      `down: target: 127.0.0.1:${counted.port} is refused by default (TOCSIN_TARGETS_ALLOW does not name it): loopback`,
    );
    expect(finding).toMatchObject({ reason: 'target', timings: {} });
    expect(connected).toBe(0);
    const open = await checkTcp(server, {}, { targets: byDefault });
    const shut = await checkTcp({ port: 1 }, {}, { targets: byDefault });
    // Neither tells whether anybody listens there.
    expect(open.message.replace(String(server.port), '1')).toBe(shut.message);
  });

  test.each(['http://169.254.169.254/', 'http://0xa9fea9fe/', 'http://[::ffff:169.254.169.254]/', 'http://0/'])(
    '%s is refused however it is written',
    async (url) => {
      expect((await checkHttp({ url })).reason).toBe('target');
    },
  );

  test.each(['2130706433', '127.1', '0x7f000001', 'localhost'])(
    'tcp host %s is judged by its address',
    async (host) => {
      expect((await checkTcp({ port: 1 }, { host }, { targets: byDefault })).reason).toBe('target');
      expect((await checkTcp({ port: 1 }, { host })).reason).toBe('connect');
    },
  );

  test('is refused when a redirect leads there', async () => {
    const own = await webServer((_, response) => response.end('inside'));
    const server = await webServer((_, response) => response.writeHead(302, { location: own.url }).end());
    const targets = new TargetRules({
      allow: parseTargets('127.0.0.0/8'),
      own: parseTargets(`127.0.0.1:${own.port}`),
    });
    expect(said(await checkHttp(server, {}, { targets }))).toBe(
      `down: target: 127.0.0.1:${own.port} is refused by TOCSIN_TARGETS_OWN: 127.0.0.1:${own.port}`,
    );
    expect(said(await checkHttp(server, {}, { targets: LOOPBACK }))).toBe('up: status 200');
  });
});

describe('a connection for a mail', () => {
  test('is opened by the same rules', async () => {
    const server = await rawServer((socket) => socket.write('220 hello\r\n'));
    const to = { host: 'localhost', port: server.port, timeoutMs: 2_000 };
    const socket = await openConnection({ ...to, targets: LOOPBACK });
    const [greeting] = (await socket.take(1).toArray()) as [Buffer];
    expect(greeting.toString()).toBe('220 hello\r\n');
    await expect(openConnection({ ...to, targets: byDefault })).rejects.toMatchObject({ reason: 'target' });
  });

  test('ends with the signal, and at its time', async () => {
    const stop = new AbortController();
    const to = { host: '127.0.0.1', port: 1, timeoutMs: 2_000, targets: LOOPBACK };
    stop.abort(new Error('no more'));
    await expect(openConnection({ ...to, signal: stop.signal })).rejects.toThrow('no more');
    await expect(openConnection(to)).rejects.toMatchObject({ reason: 'connect' });
  });
});
