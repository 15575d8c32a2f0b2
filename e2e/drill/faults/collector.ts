import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.ts';

/** A collector of traces that throws them away, and that can be away itself. */
export class Collector {
  private readonly waiting = new Set<ServerResponse>();
  private silent = false;
  /** How many exports it took. */
  taken = 0;

  private constructor(
    private server: Server,
    private readonly port: number,
  ) {}

  static async start(): Promise<Collector> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const collector = new Collector(server, (server.address() as AddressInfo).port);
    collector.serve(server);
    return collector;
  }

  /** What OTEL_EXPORTER_OTLP_ENDPOINT is set to. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends every connection and listens no more. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** It is gone and comes back, or takes requests and answers none: by turns. */
  readonly fault: Fault = async (stack, strike) => {
    const at = Date.now();
    if (strike % 2 === 0) await this.beGone(3_000);
    else await this.beSilent(3_000);
    await stack.whole();
    return { at, victims: ['collector'] };
  };

  private async beGone(forMs: number): Promise<void> {
    await this.stop();
    await delay(forMs);
    this.server = createServer();
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.serve(this.server);
  }

  private async beSilent(forMs: number): Promise<void> {
    this.silent = true;
    await delay(forMs);
    this.silent = false;
    for (const response of this.waiting) response.end();
    this.waiting.clear();
  }

  private serve(server: Server): void {
    server.on('request', (request, response) => {
      request.resume();
      request.on('end', () => {
        this.taken++;
        response.writeHead(200, { 'content-type': 'application/x-protobuf' });
        if (this.silent) this.waiting.add(response);
        else response.end();
      });
    });
  }
}
