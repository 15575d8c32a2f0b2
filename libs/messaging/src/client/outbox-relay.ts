import { Logger } from '@nestjs/common';
import { Loop, TocsinError } from '@tocsin/core';
import type { Messaging } from './messaging.ts';

const POLL_MS = 500;
const BATCH = 200;

/** A message recorded in the same transaction as the change it tells of. */
export interface OutboxRow {
  id: string;
  subject: string;
  payload: unknown;
  headers: Record<string, string>;
}

/** Where committed messages wait. `take` claims some for a while, `done` says that the broker has them. */
export interface OutboxSource {
  take(limit: number): Promise<OutboxRow[]>;
  done(ids: string[]): Promise<void>;
}

/**
 * Publishes the rows of the outbox, each under its id, until the broker has acknowledged them. A process that dies between the
 * acknowledgement and `done` publishes the row again under the same id, and the stream drops it.
 */
export class OutboxRelay {
  private loop: Loop | undefined;
  private readonly logger = new Logger('OutboxRelay');

  constructor(
    private readonly messaging: Messaging,
    private readonly source: OutboxSource,
    private readonly o: { pollMs?: number; batch?: number } = {},
  ) {}

  start(): void {
    this.loop ??= new Loop(
      this.o.pollMs ?? POLL_MS,
      () => this.relay(),
      (error) => this.report(error),
    );
    this.nudge();
  }

  /** Publishes at once: a transaction with outbox rows was committed. */
  nudge(): void {
    this.loop?.nudge();
  }

  /** Finishes the current batch and stops. The rest waits for the next relay. */
  async stop(): Promise<void> {
    await this.loop?.stop();
  }

  private async relay(): Promise<void> {
    const limit = this.o.batch ?? BATCH;
    const rows = await this.source.take(limit);
    if (rows.length === 0) return;
    const published = await Promise.allSettled(
      rows.map(({ id, subject, payload, headers }) => this.messaging.publish(subject, payload, { id, headers })),
    );
    const done = rows.filter((_, i) => published[i]?.status === 'fulfilled').map(({ id }) => id);
    if (done.length > 0) await this.source.done(done);
    const failure = published.find((one) => one.status === 'rejected');
    if (failure) {
      this.logger.warn(`${rows.length - done.length} outbox rows wait: ${(failure.reason as Error).message}`);
    } else if (rows.length === limit) this.nudge();
  }

  private report(error: unknown): void {
    const expected = error instanceof TocsinError && error.retry;
    this.logger[expected ? 'debug' : 'error'](`the outbox could not be read: ${(error as Error).message}`);
  }
}
