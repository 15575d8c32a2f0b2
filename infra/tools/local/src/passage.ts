import { connect, type Socket } from 'node:net';

/** What a connection that came during a cut may have said, as much as its kernel would have kept. */
const EARLY_BYTES = 65_536;

/**
 * One connection through a link. Bytes go on as they come, no faster than the other side takes them. A cut pauses both
 * sockets, so that what either side sends waits in the kernels, as it waits for a retransmission when packets vanish.
 */
export class Passage {
  private far: Socket | undefined;
  private isCut: boolean;
  /** A side that broke during the cut: the other one learns of it when the link is healed. */
  private brokenWhileCut = false;
  /** Lets a connection through that came during the cut. */
  private admit: (() => void) | undefined;
  /** Told once, when both sides are closed. */
  onEnd: (() => void) | undefined;

  constructor(
    private readonly near: Socket,
    private readonly to: { port: number; cut: boolean },
  ) {
    this.isCut = to.cut;
    near.on('error', () => undefined);
    if (to.cut) this.wait();
    else this.open([]);
  }

  cut(): void {
    this.isCut = true;
    this.near.pause();
    this.far?.pause();
  }

  heal(): void {
    if (!this.isCut) return;
    this.isCut = false;
    if (!this.far) return this.admit?.();
    if (this.brokenWhileCut) return this.reset();
    if (!this.far.writableNeedDrain) this.near.resume();
    if (!this.near.writableNeedDrain) this.far.resume();
  }

  destroy(): void {
    this.near.destroy();
    this.far?.destroy();
  }

  /**
   * It came while the link was cut, so it gets no answer. One that gives up meanwhile is forgotten: its handshake would
   * never have been finished.
   */
  private wait(): void {
    const { near } = this;
    const early: Buffer[] = [];
    let bytes = 0;
    const keep = (chunk: Buffer): void => {
      early.push(chunk);
      bytes += chunk.length;
      if (bytes >= EARLY_BYTES) near.pause();
    };
    const giveUp = (): void => {
      near.destroy();
      this.onEnd?.();
    };
    near.on('data', keep).once('end', giveUp).once('close', giveUp);
    this.admit = () => {
      this.admit = undefined;
      near.off('data', keep).off('end', giveUp).off('close', giveUp).pause();
      this.open(early);
    };
    near.resume();
  }

  private open(early: Buffer[]): void {
    const far = connect({ port: this.to.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.far = far;
    far.on('error', () => undefined);
    for (const chunk of early) far.write(chunk);
    this.forward(this.near, far);
    this.forward(far, this.near);
  }

  private forward(source: Socket, sink: Socket): void {
    source.on('data', (chunk: Buffer) => {
      if (!sink.write(chunk)) source.pause();
    });
    sink.on('drain', () => {
      if (!this.isCut) source.resume();
    });
    source.once('end', () => sink.end());
    source.once('close', (broken: boolean) => {
      if (broken && this.isCut) this.brokenWhileCut = true;
      else if (broken) this.reset();
      if (sink.closed) this.onEnd?.();
    });
    if (this.isCut) source.pause();
    else source.resume();
  }

  /** A refused or broken connection is a broken one for the other side too. */
  private reset(): void {
    for (const socket of [this.near, this.far]) if (socket && !socket.destroyed) socket.resetAndDestroy();
  }
}
