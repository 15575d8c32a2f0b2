import { alertFailure } from '../connect/handshake-failure.ts';
import { CheckFailure, ownFailure } from '../failure.ts';
import { BadMessage, TooLargeHead } from './message/bad-message.ts';

/** The failure of an answer that the connection's end cut short. `begun`: some of it had come. */
export function closed(begun: boolean, cause?: unknown): CheckFailure {
  return new CheckFailure('closed', `closed: the server closed the connection ${before(begun)}`, { cause });
}

/** For messages: when something happened to an answer. */
export function before(begun: boolean): string {
  return begun ? 'before the answer was whole' : 'before it answered';
}

/** What reading an answer threw, as a failure where it is one of the answer. */
export function unreadable(error: unknown): unknown {
  if (error instanceof TooLargeHead)
    return new CheckFailure('protocol', `protocol: ${error.message}`, { cause: error });
  return error instanceof BadMessage ? notHttp(error.message, error) : error;
}

/** The failure of an answer that breaks the protocol. */
export function notHttp(why: string, cause: unknown, version = 'HTTP'): CheckFailure {
  return new CheckFailure('protocol', `protocol: the answer is not valid ${version} (${why})`, { cause });
}

/** What an error of the connection means. */
export function broken(error: NodeJS.ErrnoException, begun: boolean): CheckFailure {
  const { code = '' } = error;
  if (code === 'ECONNRESET' || code === 'EPIPE') return closed(begun, error);
  return (
    ownFailure(error) ??
    alertFailure(error) ??
    new CheckFailure('connect', `connect: the connection broke (${code || error.message})`, { cause: error })
  );
}
