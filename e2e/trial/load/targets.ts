import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FleetMonitor } from './fleet.ts';
import { HitLog } from './hit-log.ts';
import { isDownAt } from './schedule.ts';

const ADDRESS = /^\/m\/(\d+)$/;

/** What the whole fleet watches: one server that answers `/m/<n>` by the schedule and remembers when each was hit. */
export class Targets {
  private readonly log = new HitLog();
  /** When the schedule began (epoch ms); until then everything is up. */
  startedAt: number | undefined;

  private constructor(
    private readonly server: Server,
    private readonly fleet: readonly FleetMonitor[],
    readonly url: string,
  ) {}

  /** Starts it on a free port of an address of this machine. */
  static async start(fleet: readonly FleetMonitor[], address = '127.0.0.1'): Promise<Targets> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, address, 4_096, resolve);
    });
    const { port } = server.address() as AddressInfo;
    const targets = new Targets(server, fleet, `http://${address}:${port}`);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => targets.receive(request, response));
    return targets;
  }

  /** From now on (or the given epoch ms) the targets that flip do so. */
  startSchedule(at = Date.now()): void {
    this.startedAt = at;
  }

  /** How many hits there were in all. */
  get hits(): number {
    return this.log.hits;
  }

  /** When a monitor's target was hit: epoch ms, oldest first. An arrow, to be handed on. */
  readonly hitsOf = (n: number): readonly number[] => this.log.of(n);

  /** Stops it; open connections are cut. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    const monitor = this.fleet[Number(ADDRESS.exec(request.url ?? '')?.[1])];
    if (!monitor) {
      response.writeHead(404).end();
      return;
    }
    const now = Date.now();
    this.log.add(monitor.n, now);
    const down = isDownAt(monitor, now, this.startedAt);
    response.writeHead(down ? 503 : 200, { 'content-type': 'text/plain' }).end(down ? 'down' : 'ok');
  }
}
