import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { certificate, type CertificateKind, type TestCertificate } from './certificates.ts';

/** How a target answers from now on. */
export type Behaviour =
  | { kind: 'answer'; status?: number; body?: string; headers?: Record<string, string>; delayMs?: number }
  /** Headers at once, then body without end. */
  | { kind: 'endless' }
  /** Promises a body, sends half of it and closes. */
  | { kind: 'close-early' }
  /** Takes the request and never answers. */
  | { kind: 'silent' }
  /** Ends the connection before any answer. */
  | { kind: 'reset' }
  /** Redirects to itself for ever. */
  | { kind: 'redirect-loop' };

/** One request that arrived. */
export interface Hit {
  at: number;
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
}

/** The oldest hits are forgotten over this many; `hits` still counts them. */
const MOST_REMEMBERED = 100_000;

/** A real HTTP server to be watched, whose answer can be switched and which counts every hit. */
export class Target {
  /** How many requests arrived. */
  hits = 0;
  /** When and how each arrived, oldest first. */
  readonly log: Hit[] = [];
  private behaviour: Behaviour = { kind: 'answer' };
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
    readonly port: number,
    /** Its certificate, where it speaks TLS. */
    readonly tls: TestCertificate | undefined,
  ) {}

  /** Starts one on a free port of 127.0.0.1, with TLS where a certificate is named. */
  static async start(o: { port?: number; tls?: CertificateKind } = {}): Promise<Target> {
    const tls = o.tls ? await certificate(o.tls) : undefined;
    const server: Server = tls ? createTlsServer({ key: tls.key, cert: tls.cert }) : createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(o.port ?? 0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const target = new Target(server, `http${tls ? 's' : ''}://127.0.0.1:${port}`, port, tls);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => target.receive(request, response));
    server.on('connection', (socket: Socket) => {
      target.sockets.add(socket);
      socket.once('close', () => target.sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    return target;
  }

  /** From now on it answers so. */
  behave(behaviour: Behaviour): void {
    this.behaviour = behaviour;
  }

  /** From now on it answers with this status. */
  answer(status: number, o: { body?: string; headers?: Record<string, string>; delayMs?: number } = {}): void {
    this.behaviour = { kind: 'answer', status, ...o };
  }

  /** Forgets what arrived so far. */
  reset(): void {
    this.hits = 0;
    this.log.length = 0;
  }

  /** Stops it; open connections are cut. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private receive(request: IncomingMessage, response: ServerResponse): void {
    this.hits++;
    const { method = '', url = '', headers } = request;
    this.log.push({ at: Date.now(), method, path: url, headers });
    if (this.log.length > MOST_REMEMBERED) this.log.splice(0, MOST_REMEMBERED / 10);
    request.resume();
    respond(this.behaviour, request, response);
  }
}

function respond(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse): void {
  switch (behaviour.kind) {
    case 'answer': {
      const send = (): unknown =>
        response.writeHead(behaviour.status ?? 200, behaviour.headers).end(behaviour.body ?? 'ok');
      if (behaviour.delayMs) setTimeout(send, behaviour.delayMs);
      else send();
      return;
    }
    case 'endless': {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const timer = setInterval(() => response.writableNeedDrain || response.write('.'.repeat(1_024)), 5);
      response.once('close', () => clearInterval(timer));
      return;
    }
    case 'close-early':
      response.writeHead(200, { 'content-length': '1000' });
      response.write('.'.repeat(500), () => response.destroy());
      return;
    case 'silent':
      return;
    case 'reset':
      request.socket.resetAndDestroy();
      return;
    case 'redirect-loop':
      response.writeHead(302, { location: request.url ?? '/' }).end();
  }
}
