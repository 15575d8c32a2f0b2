import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '@tocsin/testing/servers';
import { beforeAll, describe, expect, it } from 'vitest';
import { atTheEnd, until } from '@tocsin/testing';
import { Links } from '../src/links.ts';

let links: Links;

beforeAll(() => {
  links = Links.start();
  atTheEnd(() => links.stop());
});

/** A server that keeps its connections and what they said. */
class Listener {
  readonly sockets: Socket[] = [];
  readonly heard: string[] = [];
  private server: Server | undefined;

  constructor(readonly port: number) {}

  static async start(port?: number): Promise<Listener> {
    const listener = new Listener(port ?? (await freePort()));
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const index = listener.sockets.push(socket) - 1;
      listener.heard[index] = '';
      socket.on('data', (chunk) => (listener.heard[index] += chunk.toString()));
      socket.on('error', () => undefined);
    });
    listener.server = server;
    await new Promise<void>((resolve) => server.listen(listener.port, '127.0.0.1', resolve));
    atTheEnd(() => listener.stop());
    return listener;
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server?.close();
  }
}

/** A client of a link, with what it heard and whether its connection has ended. */
async function client(port: number): Promise<{ socket: Socket; heard: () => string; ended: () => boolean }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let heard = '';
  let ended = false;
  socket.on('data', (chunk) => (heard += chunk.toString()));
  socket.on('end', () => (ended = true)).on('close', () => (ended = true));
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
  atTheEnd(() => void socket.destroy());
  return { socket, heard: () => heard, ended: () => ended };
}

/** Long enough for bytes on loopback to have come through a link that is not cut: another link's round trip. */
async function roundTrip(): Promise<void> {
  const echo = await Listener.start();
  const { socket, heard } = await client(await links.road('clock', `echo-${echo.port}`, echo.port));
  for (let times = 1; times <= 20; times++) {
    socket.write('.');
    await until(() => echo.heard[0]?.length === times, { what: 'the way there' });
    echo.sockets[0]!.write('.');
    await until(() => heard().length === times, { what: 'the way back' });
  }
}

describe('a link', () => {
  it('passes bytes both ways, and an end of one direction alone', async () => {
    const server = await Listener.start();
    const { socket, heard, ended } = await client(await links.road('a', 'b', server.port));
    socket.end('question');
    await until(() => server.heard[0] === 'question' && server.sockets[0]!.readableEnded, { what: 'the question' });
    server.sockets[0]!.end('answer');
    await until(ended, { what: 'the end of the answer' });
    expect([server.heard[0], heard()]).toEqual(['question', 'answer']);
  });

  it('that is cut passes nothing either way and closes nothing; healed, every byte arrives in order', async () => {
    const server = await Listener.start();
    const { socket, heard, ended } = await client(await links.road('c', 'd', server.port));
    socket.write('before;');
    await until(() => server.heard[0] === 'before;', { what: 'the first bytes' });
    expect(await links.cut({ host: 'd' })).toEqual([{ from: 'c', to: 'd', cut: true }]);
    const numbers = Array.from({ length: 50_000 }, (_, number) => `${number};`).join('');
    socket.write(numbers);
    server.sockets[0]!.end('last words');
    await roundTrip();
    expect([server.heard[0], heard(), ended()]).toEqual(['before;', '', false]);
    await links.heal({ from: 'c', to: 'd' });
    await until(() => server.heard[0]?.length === 7 + numbers.length && ended(), { what: 'all bytes' });
    expect(server.heard[0]).toBe(`before;${numbers}`);
    expect(heard()).toBe('last words');
  });

  it('that is cut lets new connections hang; healed, it forgets those that gave up', async () => {
    const server = await Listener.start();
    const port = await links.road('e', 'f', server.port);
    await links.cut({ from: 'e', to: 'f' });
    const patient = await client(port);
    patient.socket.write('still here');
    const impatient = await client(port);
    impatient.socket.end('gone');
    impatient.socket.destroy();
    await roundTrip();
    expect([server.sockets.length, patient.ended()]).toEqual([0, false]);
    await links.heal({});
    await until(() => server.heard.includes('still here'), { what: 'the connection that waited' });
    await roundTrip();
    expect(server.heard).toEqual(['still here']);
  });

  it('takes no more than the other side reads', async () => {
    const server = await Listener.start();
    const { socket } = await client(await links.road('g', 'h', server.port));
    socket.write('x');
    const reader = await until(() => server.sockets[0], { what: 'the connection' });
    reader.pause();
    const chunk = Buffer.alloc(1_000_000, 'y');
    for (let times = 0; times < 40; times++) socket.write(chunk);
    await roundTrip();
    // The rest is in the buffers of four sockets.
    expect(socket.writableLength).toBeGreaterThan(16_000_000);
    reader.resume();
    await until(() => socket.writableLength === 0, { what: 'all bytes to be taken' });
  });

  it('to a server that is down breaks the connection; to one that is up again it works', async () => {
    const port = await freePort();
    const link = await links.road('i', 'j', port);
    const early = await client(link);
    await until(() => early.ended(), { what: 'the refusal' });
    const server = await Listener.start(port);
    const late = await client(link);
    late.socket.write('hello');
    await until(() => server.heard[0], { what: 'the greeting' });
    expect(server.heard).toEqual(['hello']);
  });

  it('tells the other side when one breaks off', async () => {
    const server = await Listener.start();
    const { socket, ended } = await client(await links.road('k', 'l', server.port));
    socket.write('x');
    const other = await until(() => server.sockets[0], { what: 'the connection' });
    other.resetAndDestroy();
    await until(ended, { what: 'the end' });
    expect(socket.destroyed).toBe(true);
  });

  it('of no known host is refused with the hosts that there are', async () => {
    await links.road('m', 'n', 1);
    await expect(links.cut({ host: 'nobody' })).rejects.toThrow(/no link fits; the hosts are .*m.*n/);
    await expect(links.cut({ from: 'n', to: 'm' })).rejects.toThrow('no link fits');
  });

  it('is the same for those who ask twice', async () => {
    const roads = await Promise.all([links.road('o', 'p', 2), links.road('o', 'p', 2), links.road('o', 'q', 2)]);
    expect(roads[0]).toBe(roads[1]);
    expect(roads[2]).not.toBe(roads[0]);
  });
});
