import { connect, type Socket } from 'node:net';
import { asciiHost, type TargetGuard } from '@tocsin/core';
import { CheckFailure } from '../failure.ts';
import { dial } from './dial.ts';

/** Where a connection shall lead that is not a check's: of a mail, a webhook. */
export interface ConnectionWish {
  host: string;
  port: number;
  /** What a service injects as `Targets`. */
  targets: TargetGuard;
  /** What name and connection may take together, in milliseconds. */
  timeoutMs: number;
  /** Ends it early, with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Opens a TCP connection to the first of a host's addresses that takes one, by the rules of a check: every address is
 * tried, and `targets` is asked about each resolved address right before it is connected to. Hand the socket to whatever
 * speaks the protocol (`createTransport({ connection: socket })` of nodemailer), so that nothing resolves the name again.
 * The caller destroys it.
 * @throws CheckFailure `target` (asking again does not help), `dns`, `connect`, `timeout`, `resources`
 */
export function openConnection({ host: asked, port, targets, timeoutMs, signal }: ConnectionWish): Promise<Socket> {
  const host = asciiHost(asked) ?? asked;
  return new Promise((resolve, reject) => {
    const stop = (why: unknown): void => {
      cancel();
      settle();
      reject(why instanceof Error ? why : new Error(String(why)));
    };
    const onAbort = (): void => stop(signal?.reason);
    const onTimeout = (): void =>
      stop(new CheckFailure('timeout', `timeout after ${timeoutMs} ms while connecting to ${host}`));
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const timer = setTimeout(onTimeout, timeoutMs);
    const open = (address: string): Socket => connect({ host: address, port }).on('error', ignore);
    const cancel = dial(
      { host, port, family: 'any', targets, budgetMs: timeoutMs, open },
      {
        resolved: ignore,
        connected: (socket) => (settle(), resolve(socket.off('error', ignore))),
        failed: (failure) => (settle(), reject(failure)),
      },
    );
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort);
  });
}

/** What fails after its attempt is over has no other listener. */
function ignore(): void {}
