import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { freePort } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { Fence, hearsAPeer, type Route } from './nats-guard.ts';

/** What a fence says of looks 500 ms apart. */
function judged(looks: readonly (number | 'nothing')[], pids: readonly number[] = looks.map(() => 1)): boolean[] {
  const fence = new Fence();
  return looks.map((seen, i) => fence.judge(pids[i]!, seen, i * 500) !== undefined);
}

const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);

describe('a node of the broker', () => {
  it('that answers and has a peer is left alone', () => {
    expect(judged([0, 1, 2, 1, 2])).toEqual(times(5, false));
  });

  it('that has said nothing for more than 4 s is ended, not before', () => {
    expect(judged([2, ...times(9, 'nothing' as const)])).toEqual([...times(9, false), true]);
  });

  it('that has not answered yet is given 20 s to start', () => {
    expect(judged(times(42, 'nothing' as const))).toEqual([...times(41, false), true]);
  });

  it('that lost all its peers is ended', () => {
    expect(judged([2, 1, 0, 0])).toEqual([false, false, false, true]);
  });

  it('that never had one may be the first to run', () => {
    expect(judged(times(20, 0))).toEqual(times(20, false));
  });

  it('that was started again is judged anew', () => {
    expect(judged([2, ...times(8, 'nothing' as const), 'nothing', 0, 0, 0], [...times(9, 1), ...times(4, 2)])).toEqual(
      times(13, false),
    );
  });
});

describe('a peer', () => {
  /** Whether somebody is heard who does this with whoever connects. */
  async function heard(serve: (socket: Socket) => void): Promise<boolean> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      serve(socket);
      socket.resume();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const answer = await hearsAPeer([(server.address() as AddressInfo).port]);
    server.close();
    return answer;
  }

  it('is heard when it greets', async () => {
    expect(await heard((socket) => socket.write('INFO {}\r\n'))).toBe(true);
  });

  it('is heard when it greets nobody, and hangs up on what is no handshake', async () => {
    expect(await heard((socket) => socket.once('data', () => socket.destroy()))).toBe(true);
    expect(await heard((socket) => socket.once('data', () => socket.resetAndDestroy()))).toBe(true);
  });

  it('is heard when its machine refuses', async () => {
    expect(await hearsAPeer([await freePort()])).toBe(true);
  });

  it('is not heard when it takes a connection and says nothing', async () => {
    expect(await heard(() => undefined)).toBe(false);
  });

  it('is not heard where there is no way to it', async () => {
    // To this address nothing connects: the kernel has no way for it, as to a network whose cable is out.
    const nowhere: Route = { host: '255.255.255.255', port: 6222 };
    expect(await hearsAPeer([nowhere])).toBe(false);
    expect(await hearsAPeer([nowhere, await freePort()])).toBe(true);
  });

  it('that there is none of need not be heard', async () => {
    expect(await hearsAPeer([])).toBe(true);
  });
});
