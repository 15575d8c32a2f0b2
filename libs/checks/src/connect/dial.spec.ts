import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { parseTargets, TargetRules } from '@tocsin/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CheckFailure } from '../failure.ts';
import { dial, type Dialling } from './dial.ts';

const dns = vi.hoisted(() => ({ names: new Map<string, string[]>() }));
vi.mock('node:dns', () => ({
  lookup: (name: string, _: object, answer: (error: Error | null, addresses: object[]) => void) => {
    const addresses = dns.names.get(name) ?? [];
    setImmediate(
      answer,
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  },
}));

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server on one address of loopback; returns its port. */
async function listen(host: string, port = 0): Promise<number> {
  const server: Server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  ends.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const targets = new TargetRules({ allow: parseTargets('127.0.0.0/8,::1'), deny: parseTargets('127.0.0.9') });

interface Ended {
  /** The address that took the connection. */
  to?: string | undefined;
  failure?: CheckFailure;
  tried: string[];
}

/** @param o.silent addresses from which nothing ever comes, as from behind a firewall that drops */
function dialled(o: Partial<Dialling> & { silent?: string[]; signal?: AbortSignal }): Promise<Ended> {
  const tried: string[] = [];
  return new Promise((resolve) => {
    const open = (address: string): Socket => {
      tried.push(address);
      return o.silent?.includes(address) ? new Socket() : connect({ host: address, port: o.port! });
    };
    const to = { host: 'pair.example', port: 1, family: 'any' as const, targets, budgetMs: 5_000, open, ...o };
    dial(to, {
      resolved: () => undefined,
      connected: (socket) => {
        ends.push(() => socket.destroy());
        resolve({ to: socket.remoteAddress, tried });
      },
      failed: (failure) => resolve({ failure, tried }),
    });
  });
}

describe.each(['any', '4', '6'] as const)('a name with several addresses, ipFamily %s', (family) => {
  const [first, second] = family === '6' ? ['::1', '::ffff:127.0.0.3'] : ['127.0.0.2', '127.0.0.3'];

  it('is connected to at the next address when the first refuses', async () => {
    const port = await listen('127.0.0.3');
    dns.names.set('pair.example', [first, second]);
    expect((await dialled({ port, family })).to).toMatch(/127\.0\.0\.3$/);
  });

  it('is connected to at the next address when the first says nothing', async () => {
    const port = await listen('127.0.0.3');
    dns.names.set('pair.example', [first, second]);
    const before = performance.now();
    const ended = await dialled({ port, family, silent: [first] });
    expect(ended.to).toMatch(/127\.0\.0\.3$/);
    expect(performance.now() - before).toBeLessThan(2_000);
  });

  it('fails when all do, and all are named', async () => {
    dns.names.set('pair.example', [first, second]);
    const { failure } = await dialled({ port: 1, family });
    expect(failure!.message).toMatch(/^connect: connection refused .+:1 and .+:1$/);
  });
});

describe('a name with several addresses', () => {
  it('is tried at each of them while time is left, however little', async () => {
    const silent = Array.from({ length: 12 }, (_, n) => `127.0.1.${n + 1}`);
    const port = await listen('127.0.0.3');
    dns.names.set('pair.example', [...silent, '127.0.0.3']);
    const before = performance.now();
    expect((await dialled({ port, silent, budgetMs: 400 })).to).toBe('127.0.0.3');
    expect(performance.now() - before).toBeGreaterThan(300);
  });

  it('is connected to at a slow address when no other takes the connection', async () => {
    const port = await listen('127.0.0.2');
    dns.names.set('pair.example', ['127.0.0.2', '127.0.0.3']);
    // The first begins before the second, and connects after the second has failed.
    const open = (address: string): Socket => {
      if (address === '127.0.0.3') return connect({ host: address, port });
      const socket = new Socket();
      setTimeout(() => socket.connect({ host: address, port }), 200);
      return socket;
    };
    expect((await dialled({ port, budgetMs: 150, open })).to).toBe('127.0.0.2');
  });

  it('has its families tried in turns, and each address once', async () => {
    dns.names.set('pair.example', ['::1', '::1', '::ffff:127.0.0.4', '127.0.0.2', '127.0.0.3']);
    const { tried } = await dialled({ port: 1 });
    expect(tried).toEqual(['::1', '127.0.0.2', '::ffff:127.0.0.4', '127.0.0.3']);
  });

  it('leaves the others alone once one is connected', async () => {
    const port = await listen('127.0.0.2');
    dns.names.set('pair.example', ['127.0.0.2', '127.0.0.3']);
    expect((await dialled({ port })).tried).toEqual(['127.0.0.2']);
  });
});

describe('a target that is not allowed', () => {
  it('is refused by its address, and nothing is opened', async () => {
    const { failure, tried } = await dialled({ host: '127.0.0.9', port: 80 });
    expect(failure!.reason).toBe('target');
    expect(failure!.message).toBe('target: 127.0.0.9:80 is refused by TOCSIN_TARGETS_DENY: 127.0.0.9');
    expect(tried).toEqual([]);
  });

  it.each(['169.254.169.254', '0.0.0.0', '::', 'fe80::1', '::ffff:169.254.169.254'])(
    '%s is refused by default',
    async (host) => {
      expect((await dialled({ host, port: 80 })).failure!.message).toMatch(/^target: .+ is refused by default/);
    },
  );

  it('is refused whatever its name is, at the moment of the connection', async () => {
    dns.names.set('rebound.example', ['169.254.169.254']);
    const { failure, tried } = await dialled({ host: 'rebound.example', port: 80 });
    expect(failure!.message).toBe(
      'target: rebound.example, which is 169.254.169.254:80, is refused by default (TOCSIN_TARGETS_ALLOW does not name it): link-local',
    );
    expect(tried).toEqual([]);
  });

  it('is left out where its name has other addresses too, and is named when those fail', async () => {
    dns.names.set('pair.example', ['127.0.0.9', '127.0.0.2']);
    const { failure, tried } = await dialled({ port: 1 });
    expect(tried).toEqual(['127.0.0.2']);
    expect(failure!.message).toBe(
      'connect: connection refused 127.0.0.2:1 (127.0.0.9:1 is refused by TOCSIN_TARGETS_DENY: 127.0.0.9)',
    );
  });
});

it('what was cancelled opens nothing more and says nothing', async () => {
  dns.names.set('pair.example', ['127.0.0.2', '127.0.0.3']);
  const opened: Socket[] = [];
  const open = (): Socket => {
    const socket = new Socket();
    opened.push(socket);
    return socket;
  };
  const said: string[] = [];
  await new Promise<void>((resolve) => {
    const cancel = dial(
      { host: 'pair.example', port: 1, family: 'any', targets, budgetMs: 60, open },
      {
        resolved: () => setImmediate(() => (cancel(), resolve())),
        connected: () => said.push('connected'),
        failed: () => said.push('failed'),
      },
    );
  });
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(opened.map(({ destroyed }) => destroyed)).toEqual([true]);
  expect(said).toEqual([]);
});
