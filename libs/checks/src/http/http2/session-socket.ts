import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { ReadThrottle } from '../read-throttle.ts';
import { AnswerEnd } from './answer-end.ts';

/**
 * The connection below a session of HTTP/2. Node's session would read a socket by itself; through this one each read is seen
 * before the session has it, and is as seldom as for HTTP/1. The session is not shown what comes after the answer, so that
 * nothing there can break it.
 */
export class SessionSocket extends Duplex {
  private readonly throttle: ReadThrottle;
  private readonly answerEnd = new AnswerEnd();

  /** @param read is given what came, and what to do with it: hand it to the session */
  constructor(
    private readonly socket: Socket,
    private readonly read_: (data: Buffer, pass: () => void) => void,
  ) {
    super();
    this.throttle = new ReadThrottle(socket);
    socket.on('data', this.onData).on('end', this.onEnd).on('close', this.onEnd);
  }

  override _read(): void {
    this.throttle.readOn();
  }

  override _write(data: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.socket.write(data, done);
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.throttle.stop();
    this.socket.off('data', this.onData).off('end', this.onEnd).off('close', this.onEnd).destroy();
    done(error);
  }

  private readonly onData = (data: Buffer): void => {
    this.read_(data, () => {
      const part = data.subarray(0, this.answerEnd.take(data));
      if (part.length > 0 && !this.push(part)) this.socket.pause();
    });
    if (!this.destroyed) this.throttle.took(data.length);
  };

  private readonly onEnd = (): void => {
    if (!this.readableEnded && !this.destroyed) this.push(null);
  };
}
