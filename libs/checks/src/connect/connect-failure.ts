import { CheckFailure, ownFailure } from '../failure.ts';

interface ConnectError extends NodeJS.ErrnoException {
  address?: string;
  port?: number;
  errors?: ConnectError[];
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  EADDRNOTAVAIL: 'address not available',
  ETIMEDOUT: 'no answer from',
  EACCES: 'not permitted to connect to',
  EPERM: 'not permitted to connect to',
};

/** What a connection that did not come about means. Where several addresses were tried, they are all named. */
export function connectFailure(error: ConnectError, host: string, port: number): CheckFailure {
  const tried = error.errors?.length ? error.errors : [error];
  const own = tried.map(ownFailure).find((failure) => failure !== undefined);
  if (own) return own;
  const first = tried[0]!;
  const same = tried.filter((each) => each.code === first.code);
  const where = same.map((each) => (each.address === undefined ? at(host, port) : at(each.address, each.port ?? port)));
  const what = WORDS[first.code ?? ''] ?? first.code ?? first.message;
  return new CheckFailure('connect', `connect: ${what} ${[...new Set(where)].slice(0, 4).join(' and ')}`, {
    cause: error,
  });
}

function at(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
