import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that the sink took, and what it answered. */
export interface Arrival {
  at: number;
  /** Its Idempotency-Key; empty when it carried none. */
  key: string;
  /** Its path and query. */
  target: string;
  headers: IncomingHttpHeaders;
  /** The body as it came, for checking its signature. */
  raw: string;
  /** The body, where it is JSON. */
  body: unknown;
  answered: number;
}

type Answer = { status: number; headers?: Record<string, string>; delayMs?: number };

const MOST_BODY_BYTES = 1_000_000;
/** The oldest arrivals are forgotten over this many. */
const MOST_REMEMBERED = 50_000;

/** A webhook's receiver that counts: the oracle for "no alert lost, none twice". */
export class Sink {
  readonly arrivals: Arrival[] = [];
  private standing: Answer = { status: 200 };
  private readonly queued: Answer[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** Starts one on a free port of an address of this machine. */
  static async start(address = '127.0.0.1'): Promise<Sink> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    const sink = new Sink(server, `http://${address}:${(server.address() as AddressInfo).port}/hook`);
    server.on('request', (request, response) => {
      let raw = '';
      request.on('data', (chunk: Buffer) => {
        raw += chunk.toString();
        if (raw.length > MOST_BODY_BYTES) request.destroy();
      });
      request.on('end', () => sink.take(request, raw, response));
    });
    return sink;
  }

  /** Every answer from now on. */
  answer(status: number, o: Omit<Answer, 'status'> = {}): void {
    this.standing = { status, ...o };
  }

  /** The answers to the next requests, one each; after them the standing one. */
  answerNext(...answers: Answer[]): void {
    this.queued.push(...answers);
  }

  /** How often each Idempotency-Key was accepted (answered with 2xx). More than once each is an alert sent twice. */
  accepted(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { key, answered } of this.arrivals) {
      if (answered >= 200 && answered < 300) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  /** The keys that were accepted more than once. */
  doubled(): string[] {
    return [...this.accepted()].filter(([, count]) => count > 1).map(([key]) => key);
  }

  /** Stops it; open connections are cut. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private take({ url = '', headers }: IncomingMessage, raw: string, response: ServerResponse): void {
    const { status, headers: extra, delayMs } = this.queued.shift() ?? this.standing;
    const key = headers['idempotency-key'];
    this.arrivals.push({
      at: Date.now(),
      key: typeof key === 'string' ? key : '',
      target: url,
      headers,
      raw,
      body: parsed(raw),
      answered: status,
    });
    if (this.arrivals.length > MOST_REMEMBERED) this.arrivals.splice(0, MOST_REMEMBERED / 10);
    const send = (): unknown => response.writeHead(status, extra).end();
    if (delayMs) setTimeout(send, delayMs);
    else send();
  }
}

function parsed(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
