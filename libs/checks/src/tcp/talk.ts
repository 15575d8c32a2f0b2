import type { Socket } from 'node:net';
import { alertFailure } from '../connect/handshake-failure.ts';
import { CheckFailure, ownFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { bytes, quote } from '../message-text.ts';

/** How much is read while what is expected has not come: exactly, in however many packets it comes. */
const MAX_READ_BYTES = 65_536;
/** How much of what came instead is looked at for a message. */
const SHOWN_BYTES = 200;

/** Sends some bytes, as one step of a run. @throws CheckFailure `closed`, `tls`, `resources` */
export function send(run: Run, socket: Socket, data: Buffer): Promise<void> {
  run.phase = 'sending';
  return run.step<void>((done, fail) => {
    socket.write(data, (error) => {
      if (error) fail(broken(error, 'while it was sent to'));
      else done();
    });
    return nothing;
  });
}

/**
 * Waits until some bytes come, as one step of a run.
 * @param shown what a message calls them
 * @throws CheckFailure `expect` when they are not among the first 64 KiB, `closed`, `tls`, `resources`
 */
export function receive(run: Run, socket: Socket, wanted: Buffer, shown: string): Promise<void> {
  const { clock } = run.context;
  const since = clock.monotonic();
  run.phase = `waiting for ${shown}`;
  return run.step<void>((done, fail) => {
    const read = new Received();
    const onData = (chunk: Buffer): void => {
      if (read.length === 0) run.spent('firstByteMs', clock.monotonic() - since);
      const before = read.length;
      read.add(chunk);
      // Search only what is new, and the seam.
      if (read.bytes.indexOf(wanted, Math.max(0, before - wanted.length + 1)) >= 0) {
        run.spent('transferMs', clock.monotonic() - since - (run.timings.firstByteMs ?? 0));
        return done();
      }
      if (read.length === MAX_READ_BYTES) {
        return fail(new CheckFailure('expect', `expect: no ${shown} in the first ${bytes(MAX_READ_BYTES)}`));
      }
      if (before < SHOWN_BYTES) run.phase = `waiting for ${shown}; got ${read.start()}`;
    };
    const onEnd = (): void => fail(ended(shown, read));
    const onError = (error: NodeJS.ErrnoException): void => fail(broken(error, `before ${shown} came`));
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    return () => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
    };
  });
}

/** The first bytes that came, in one piece that grows: many small packets cost no more than one. */
class Received {
  length = 0;
  #room = Buffer.allocUnsafe(1_024);

  get bytes(): Buffer {
    return this.#room.subarray(0, this.length);
  }

  /** Takes what still fits into {@link MAX_READ_BYTES}. */
  add(chunk: Buffer): void {
    const length = Math.min(MAX_READ_BYTES, this.length + chunk.length);
    if (length > this.#room.length) {
      const larger = Buffer.allocUnsafe(Math.min(MAX_READ_BYTES, Math.max(length, this.#room.length * 2)));
      this.bytes.copy(larger);
      this.#room = larger;
    }
    chunk.copy(this.#room, this.length, 0, length - this.length);
    this.length = length;
  }

  start(): string {
    return quote(this.bytes.toString('utf8', 0, SHOWN_BYTES));
  }
}

function ended(shown: string, read: Received): CheckFailure {
  const got = read.length === 0 ? 'nothing' : read.start();
  return new CheckFailure('closed', `closed: the server closed the connection before ${shown} came (received ${got})`);
}

function broken(error: NodeJS.ErrnoException, when: string): CheckFailure {
  return (
    ownFailure(error) ??
    alertFailure(error) ??
    new CheckFailure('closed', `closed: the connection broke ${when} (${error.code ?? error.message})`, {
      cause: error,
    })
  );
}

function nothing(): void {}
