import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range from which the kernel takes ports for outgoing connections (Linux 32768, macOS 49152), so that
 * a server that is killed and started again finds its port still free.
 */
const RANGE = { from: 15_000, to: 32_000 };

/** What this process has been given: nobody may be given it again before it listens there. */
const given = new Set<number>();

/**
 * A TCP port that was free on 127.0.0.1 a moment ago. Somebody else may take it before you do, so be ready to ask again.
 * @throws when 100 ports in a row are taken.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(RANGE.from, RANGE.to);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(
    `No free port between ${RANGE.from} and ${RANGE.to} on 127.0.0.1; stop something that listens there.`,
  );
}

/** The wished port when it is free on 127.0.0.1, else any free one. */
export async function freePortNear(wished: number): Promise<number> {
  return (await isFree(wished)) ? wished : await freePort();
}

/** What listens on a port of 127.0.0.1, for a person: `another Tocsin`, or `another program`. */
export async function occupantOf(port: number): Promise<'another Tocsin' | 'another program'> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(1_000),
    });
    const { name } = (await response.json()) as { name?: unknown };
    return name === 'Tocsin' ? 'another Tocsin' : 'another program';
  } catch {
    return 'another program';
  }
}

/** Whether nobody listens there on 127.0.0.1. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
