import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

interface Connection {
  /** Requests that are not answered yet, in order. */
  readonly open: Map<ServerResponse, IncomingMessage>;
  /** What to do once they are. */
  whenAnswered?: () => void;
}

/** Which requests of a connection are still to be answered: answers go out in order, a refusal of what follows last. */
export class Exchanges {
  private readonly connections = new WeakMap<Duplex, Connection>();

  /** Notes that a request came. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.of(request.socket);
    connection.open.set(response, request);
    response.once('close', () => {
      connection.open.delete(response);
      this.settle(connection);
    });
  }

  /**
   * Runs `last` when every request that has arrived whole is answered. One that has not never will be.
   * @returns false if something else was to be last before: of a broken connection only the first is told
   */
  endAfter(socket: Duplex, last: () => void): boolean {
    const connection = this.of(socket);
    if (connection.whenAnswered) return false;
    connection.whenAnswered = last;
    this.settle(connection);
    return true;
  }

  private settle({ open, whenAnswered }: Connection): void {
    if (whenAnswered && [...open.values()].every(({ complete }) => !complete)) whenAnswered();
  }

  private of(socket: Duplex): Connection {
    let connection = this.connections.get(socket);
    if (!connection) this.connections.set(socket, (connection = { open: new Map() }));
    return connection;
  }
}
