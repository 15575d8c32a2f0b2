import { createServer, type Server } from 'node:net';
import { Passage } from './passage.ts';

/** More connections than all instances ever hold on one link, the abandoned ones of a long cut included. */
const MAX_CONNECTIONS = 2_000;

/** A port of its own behind which one host reaches another, until it is cut. */
export class Link {
  private readonly passages = new Set<Passage>();
  private server: Server | undefined;
  private cutNow = false;

  constructor(private readonly target: number) {}

  /**
   * Begins to listen on 127.0.0.1.
   * @throws when the port is taken; ask again with another
   */
  async listen(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      const passage = new Passage(socket, { port: this.target, cut: this.cutNow });
      this.passages.add(passage);
      passage.onEnd = () => this.passages.delete(passage);
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: '127.0.0.1', backlog: 511 }, resolve);
    });
    this.server = server;
  }

  /** From now on nothing passes, and nothing is closed. */
  cut(): void {
    this.cutNow = true;
    for (const passage of this.passages) passage.cut();
  }

  /** What was held back goes on, in order. */
  heal(): void {
    this.cutNow = false;
    for (const passage of this.passages) passage.heal();
  }

  close(): void {
    this.server?.close();
    for (const passage of this.passages) passage.destroy();
  }
}
