import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningServer } from '@tocsin/testing/servers';
import { say } from './progress.ts';

/** A peer's route port; of a peer on this machine, its number alone. */
export type Route = number | { host: string; port: number };

/** What a guard must know of a node. */
export interface Guarded {
  name: string;
  /** Its process, as long as it runs; otherwise -1, and nothing to signal. */
  server: { readonly pid: number; readonly process: { kill(signal: 'SIGKILL'): unknown } | undefined };
  /** The port of its own figures. */
  monitoring: number;
  /** The ways from it to its peers' route ports. */
  routes: readonly Route[];
}

/** A node that this process has started. */
export interface GuardedNode extends Guarded {
  server: RunningServer;
}

const EVERY_MS = 500;
const ASK_MS = 500;
/** A node that has said nothing for so long is frozen. As long as its peers wait before they elect, at the least. */
const SILENCE_MS = 4_000;
/** One that has not answered yet reads what it has stored. */
const START_MS = 20_000;
/** Routes are dropped after three seconds without a sign; this much later, none has come back. */
const ALONE_MS = 500;
/** How a peer's machine says that nothing listens, or hangs up. Any other failure to connect may be a cut. */
const REFUSALS: readonly unknown[] = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'];

/**
 * Ends a node of the broker that takes part no more, and starts none that could not: one that is frozen, or cut off from
 * all its peers. Back among them, such a node asks for a vote in every group it follows, under a term that it alone has
 * counted up. Its peers' leaders step down for it, and nobody leads until the next election: a second stall, as long as the
 * first. One that is started anew when it can hear its peers follows whoever leads. See ADR 13. On a host,
 * infra/deploy/nats-guard runs it.
 */
export class NatsGuard {
  private readonly fence = new Fence();
  private readonly ended = new AbortController();
  private readonly loop: Promise<void>;

  /** @param tell is given a line whenever it ends the node */
  constructor(
    private readonly node: Guarded,
    private readonly tell: (line: string) => void = say,
  ) {
    this.loop = this.run();
  }

  /** Whether the node could hear a peer now. */
  mayStart(): Promise<boolean> {
    return hearsAPeer(this.node.routes);
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { signal } = this.ended;
    const { name, server } = this.node;
    for (;;) {
      await delay(EVERY_MS, undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) return;
      const why = await this.look();
      if (why === undefined || signal.aborted) continue;
      this.tell(`${name} ${why}: ending it`);
      // As a crash: whoever keeps it running starts it again.
      server.process?.kill('SIGKILL');
    }
  }

  /** Why it must end, if it must. */
  private async look(): Promise<string | undefined> {
    const { server, monitoring } = this.node;
    const { pid } = server;
    if (pid < 0) return undefined;
    const seen = await routesOf(monitoring);
    // What another process answered says nothing of this one.
    return pid === server.pid ? this.fence.judge(pid, seen, performance.now()) : undefined;
  }
}

/** Decides by what was seen of a node whether it must end. */
export class Fence {
  private pid = -1;
  private seenAt = 0;
  private answeredAt: number | undefined;
  private hadPeersAt: number | undefined;

  /**
   * @param pid the process; another one begins anew
   * @param seen how many peers it has a route to, or `nothing` if it did not answer
   * @param now monotonic time in ms
   * @returns why it must end, if it must
   */
  judge(pid: number, seen: number | 'nothing', now: number): string | undefined {
    if (pid !== this.pid) {
      this.pid = pid;
      this.seenAt = now;
      this.answeredAt = undefined;
      this.hadPeersAt = undefined;
    }
    if (seen === 'nothing') {
      const silent = now - (this.answeredAt ?? this.seenAt);
      return silent > (this.answeredAt === undefined ? START_MS : SILENCE_MS)
        ? `has said nothing for ${Math.round(silent)} ms`
        : undefined;
    }
    this.answeredAt = now;
    if (seen > 0) this.hadPeersAt = now;
    // One that never had a peer may be the first of all to run.
    const alone = this.hadPeersAt === undefined ? 0 : now - this.hadPeersAt;
    return alone > ALONE_MS ? 'has lost all its peers' : undefined;
  }
}

async function routesOf(monitoring: number): Promise<number | 'nothing'> {
  try {
    const response = await fetch(`http://127.0.0.1:${monitoring}/routez`, { signal: AbortSignal.timeout(ASK_MS) });
    return ((await response.json()) as { num_routes: number }).num_routes;
  } catch {
    return 'nothing';
  }
}

/**
 * Whether a node with these ways to its peers could hear one of them, or hear at least that none is running; a cut tells
 * neither. One that has no peers need not hear any.
 */
export async function hearsAPeer(routes: readonly Route[]): Promise<boolean> {
  const heard = await Promise.all(routes.map(tellsAnything));
  return routes.length === 0 || heard.includes(true);
}

/** Whether a port answers at all: with its greeting, by refusing, or by hanging up. */
function tellsAnything(route: Route): Promise<boolean> {
  const at = typeof route === 'number' ? { host: '127.0.0.1', port: route } : route;
  return new Promise((resolve) => {
    const socket = connect(at);
    const end = (heard: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(heard);
    };
    const timer = setTimeout(end, ASK_MS, false);
    // A port with TLS greets nobody, and hangs up on what is no handshake.
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', () => end(true));
    socket.once('error', (error: NodeJS.ErrnoException) => end(REFUSALS.includes(error.code)));
    socket.once('close', () => end(true));
  });
}
