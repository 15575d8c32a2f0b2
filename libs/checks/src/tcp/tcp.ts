import type { Socket } from 'node:net';
import type { TcpSettings } from '@tocsin/contracts';
import type { Check } from '../check.ts';
import { connect } from '../connect/connect.ts';
import { CheckFailure, ownFailure } from '../failure.ts';
import { Run } from '../run.ts';
import { bytes, quote } from '../words.ts';

/** How much is read while the expected text has not come. */
const MAX_READ_BYTES = 65_536;

/** Checks that a port accepts connections and, where wished, speaks TLS and answers with an expected text. */
export const checkTcp: Check<TcpSettings> = (settings, context) =>
  new Run(context).finish(async (run) => {
    const { host, port, ipFamily: family, tls } = settings;
    const socket = await connect(run, { host, port, family, tls });
    if (settings.send !== undefined) await send(run, socket, settings.send);
    if (settings.expect === undefined) return { verdict: 'up', reason: 'ok', message: 'connected' };
    await receive(run, socket, settings.expect);
    return { verdict: 'up', reason: 'ok', message: `received ${quote(settings.expect)}` };
  });

function send(run: Run, socket: Socket, text: string): Promise<void> {
  run.phase = 'sending';
  return run.step<void>((done, fail) => {
    socket.write(text, (error) => {
      if (error) fail(broken(error, 'while it was sent to'));
      else done();
    });
    return nothing;
  });
}

function receive(run: Run, socket: Socket, expected: string): Promise<void> {
  const { clock } = run.context;
  const since = clock.monotonic();
  const wanted = Buffer.from(expected);
  run.phase = `waiting for ${quote(expected)}`;
  return run.step<void>((done, fail) => {
    let read = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      if (read.length === 0) run.spent('firstByteMs', clock.monotonic() - since);
      // Search only what is new, and the seam.
      const from = Math.max(0, read.length - wanted.length + 1);
      read = Buffer.concat([read, chunk]);
      if (read.indexOf(wanted, from) >= 0) {
        run.spent('transferMs', clock.monotonic() - since - (run.timings.firstByteMs ?? 0));
        return done();
      }
      if (read.length > MAX_READ_BYTES) {
        fail(new CheckFailure('expect', `expect: no ${quote(expected)} in the first ${bytes(MAX_READ_BYTES)}`));
      }
    };
    const onEnd = (): void => fail(ended(expected, read));
    const onError = (error: NodeJS.ErrnoException): void => fail(broken(error, `before ${quote(expected)} came`));
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    return () => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
    };
  });
}

function ended(expected: string, read: Buffer): CheckFailure {
  const got = read.length === 0 ? 'nothing' : quote(read.toString('utf8', 0, 200));
  return new CheckFailure(
    'closed',
    `closed: the server closed the connection before ${quote(expected)} came (received ${got})`,
  );
}

function broken(error: NodeJS.ErrnoException, when: string): CheckFailure {
  return (
    ownFailure(error) ??
    new CheckFailure('closed', `closed: the connection broke ${when} (${error.code ?? error.message})`, {
      cause: error,
    })
  );
}

function nothing(): void {}
