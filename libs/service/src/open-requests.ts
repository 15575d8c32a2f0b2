import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

interface Connection {
  /** Requests that are not answered yet, in order. */
  readonly open: Map<ServerResponse, IncomingMessage>;
  /** What runs once they are. */
  whenAnswered?: () => void;
}

/** The requests of each connection that have no answer yet. Answers go out in order, and a refusal of what follows them last. */
export class OpenRequests {
  private readonly connections = new WeakMap<Duplex, Connection>();

  /** Adds a request until its answer has gone out. */
  add(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.of(request.socket);
    connection.open.set(response, request);
    response.once('close', () => {
      connection.open.delete(response);
      this.settle(connection);
    });
  }

  /**
   * Runs `last` once every request that has arrived whole is answered. The others never will be.
   * @returns false if the connection has a last step already: only its first error is answered
   */
  afterAnswers(socket: Duplex, last: () => void): boolean {
    const connection = this.of(socket);
    if (connection.whenAnswered) return false;
    connection.whenAnswered = last;
    this.settle(connection);
    return true;
  }

  /** Whether a request of this connection has not arrived whole. */
  isArriving(socket: Duplex): boolean {
    return [...this.of(socket).open.values()].some(({ complete }) => !complete);
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
