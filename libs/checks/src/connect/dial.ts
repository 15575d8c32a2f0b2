import { isIP, type Socket } from 'node:net';
import type { TargetGuard } from '@tocsin/core';
import { type CheckFailure, ownFailure } from '../failure.ts';
import { type ConnectError, connectFailure } from './connect-failure.ts';
import { type IpFamily, inTurns, nameFailure, resolveName } from './names.ts';
import { at, refusedTarget } from './refused-target.ts';

export interface Dialling {
  host: string;
  port: number;
  family: IpFamily;
  /** Says of each resolved address whether it may be connected to. */
  targets: TargetGuard;
  /** What all of it may take, in milliseconds: no address is waited for so long that the others get no turn. */
  budgetMs: number;
  /** Begins a connection to one address. */
  open(address: string): Socket;
}

/** What becomes of it: at most one of `connected` and `failed` is called, and none after it was cancelled. */
export interface Dialled {
  /** The name was resolved, and these addresses are tried (`127.0.0.1:80`). Not called for a host that is an address. */
  resolved(addresses: readonly string[]): void;
  connected(socket: Socket): void;
  failed(failure: CheckFailure): void;
}

/** How long one of several addresses is tried before the next is tried too (RFC 8305, section 5). */
const NEXT_ADDRESS_MS = 250;
/** A name with more addresses than this is no service's name. */
const MOST_ADDRESSES = 32;

/**
 * Connects to the first of a host's addresses that takes a connection. They are tried in turn: the next one as soon as one
 * fails, or beside it when it is slow. The guard is asked about the address itself, right before it is connected to, so
 * that no name server and no redirect leads past it.
 * @returns cancels it, and destroys what was opened
 */
export function dial(to: Dialling, on: Dialled): () => void {
  const attempts = new Set<Socket>();
  let over = false;
  let timer: NodeJS.Timeout | undefined;

  const end = (): void => {
    over = true;
    clearTimeout(timer);
    for (const socket of attempts) socket.destroy();
    attempts.clear();
  };
  const fail = (failure: CheckFailure): void => {
    end();
    on.failed(failure);
  };

  const tryAll = (addresses: readonly string[]): void => {
    const waiting = addresses.filter((address) => to.targets.refusal(address, to.port) === undefined);
    const refused = addresses.filter((address) => !waiting.includes(address));
    if (waiting.length === 0) return fail(refusedTarget(to, addresses));
    const pauseMs = Math.min(NEXT_ADDRESS_MS, to.budgetMs / (waiting.length + 1));
    const errors: ConnectError[] = [];
    const next = (): void => {
      clearTimeout(timer);
      const address = waiting.shift();
      if (address === undefined) {
        if (attempts.size === 0) fail(connectFailure(errors, to, refused));
        return;
      }
      attempt(address, errors, next);
      if (waiting.length > 0) timer = setTimeout(next, pauseMs);
    };
    next();
  };

  const attempt = (address: string, errors: ConnectError[], next: () => void): void => {
    const socket = to.open(address);
    attempts.add(socket);
    const onError = (error: ConnectError): void => {
      attempts.delete(socket);
      errors.push(error);
      next();
    };
    socket.once('connect', () => {
      socket.off('error', onError);
      attempts.delete(socket);
      end();
      on.connected(socket);
    });
    socket.once('error', onError);
  };

  if (isIP(to.host) !== 0) {
    tryAll([to.host]);
  } else {
    resolveName(to.host, to.family, (error, addresses) => {
      if (over) return;
      if (error) return fail(ownFailure(error) ?? nameFailure(error, to.host, to.family));
      const ordered = inTurns(addresses).slice(0, MOST_ADDRESSES);
      on.resolved(ordered.map((address) => at(address, to.port)));
      tryAll(ordered);
    });
  }
  return end;
}
