import { createServer, connect, type Socket } from 'node:net';
import { atTheEnd, natsServer } from '@tocsin/testing';
import { type RunningNats, freePort } from '@tocsin/testing/servers';

/** A way to a port that can be cut: nothing passes any more and nothing is closed, as when packets vanish. */
class Link {
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  private constructor(
    readonly port: number,
    private readonly target: number,
  ) {}

  static async to(target: number): Promise<Link> {
    const link = new Link(await freePort(), target);
    const server = createServer({ pauseOnConnect: true }, (socket) => link.pass(socket));
    await new Promise<void>((resolve) => server.listen(link.port, '127.0.0.1', resolve));
    atTheEnd(() => {
      server.close();
      for (const socket of link.sockets) socket.destroy();
    });
    return link;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.pause();
  }

  heal(): void {
    this.isCut = false;
    for (const socket of this.sockets) socket.resume();
  }

  private pass(from: Socket): void {
    const to = connect({ port: this.target, host: '127.0.0.1' });
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      this.sockets.add(socket);
      socket.on('data', (chunk) => other.write(chunk));
      socket.on('error', () => undefined);
      // An end is not heard of through a cut either.
      socket.on('close', () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      if (this.isCut) socket.pause();
      else socket.resume();
    }
  }
}

export interface Node {
  name: string;
  server: RunningNats;
  /** The way of clients to it. */
  clients: Link;
  /** The ways between it and its peers, both directions. */
  peers: Link[];
}

const NAMES = ['n1', 'n2', 'n3'];

/** A cluster of three in which every way can be cut. */
export async function cluster(): Promise<Node[]> {
  const ports = await Promise.all(NAMES.map(() => freePort()));
  const ways = await Promise.all(
    NAMES.flatMap((_, from) => ports.map(async (port, to) => ({ from, to, link: await Link.to(port) }))),
  );
  return Promise.all(
    NAMES.map(async (name, i) => {
      const routes = ways.filter(({ from, to }) => from === i && to !== i).map(({ link }) => link.port);
      // What nodes tell of each other must not lead around the links.
      const config = 'ping_interval: "1s", ping_max: 2, no_advertise: true, advertise: "127.0.0.1:1"';
      const server = await natsServer({ cluster: { name: 'test', server: name, port: ports[i]!, routes, config } });
      const peers = ways.filter(({ from, to }) => (from === i) !== (to === i)).map(({ link }) => link);
      return { name, server, clients: await Link.to(server.port), peers };
    }),
  );
}
