import { AckPolicy, DeliverPolicy, type JsMsg, ReplayPolicy } from '@nats-io/jetstream';
import { Logger } from '@nestjs/common';
import { Loop, TocsinError } from '@tocsin/core';
import type { Connection } from './connection.ts';

/** How many messages are read and held at a time. */
const BATCH = 200;
const BATCH_MS = 5_000;
const EVERY_MS = 600_000;
const RETRY_MS = 10_000;
const INACTIVE_NS = 30_000 * 1_000_000;

export interface LastPerSubjectOptions {
  stream: string;
  filters: string[];
}

/**
 * Reads the last message of each subject now, and again every ten minutes. It takes no message from any consumer: it finds
 * what a consumer should have delivered and did not. After a failure it starts again in 10 s.
 */
export class LastPerSubjectPoll {
  private stopped = false;
  private readonly loop: Loop;
  private handling: Promise<void> = Promise.resolve();
  private readonly logger = new Logger('Messaging');

  /** @param handle receives the payloads in batches; the next batch is read after it has ended */
  constructor(
    private readonly connection: Connection,
    private readonly o: LastPerSubjectOptions,
    private readonly handle: (payloads: unknown[]) => Promise<void>,
  ) {
    this.loop = new Loop(
      (failed) => (failed ? RETRY_MS : EVERY_MS),
      () => this.read(),
      (error) => this.report(error),
    );
    this.loop.nudge();
  }

  /** Ends after the current batch, and does not wait for the broker. */
  async stop(): Promise<void> {
    this.stopped = true;
    void this.loop.stop();
    await this.handling.catch(() => undefined);
  }

  private report(error: unknown): void {
    if (!this.stopped) this.logger.warn(`${this.o.stream} is read again soon: ${(error as Error).message}`);
  }

  private async read(): Promise<void> {
    const { jsm } = this.connection;
    const info = await jsm.consumers.add(this.o.stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.LastPerSubject,
      replay_policy: ReplayPolicy.Instant,
      filter_subjects: this.o.filters,
      inactive_threshold: INACTIVE_NS,
      mem_storage: true,
      num_replicas: 1,
    });
    const consumer = jsm.jetstream().consumers.getConsumerFromInfo(info);
    for (let left = info.num_pending; left > 0 && !this.stopped;) {
      const batch: JsMsg[] = [];
      for await (const msg of await consumer.fetch({ max_messages: Math.min(BATCH, left), expires: BATCH_MS })) {
        batch.push(msg);
      }
      const last = batch.at(-1);
      if (!last) throw new TocsinError('unavailable', 'the broker sent nothing more');
      left = last.info.pending;
      if (this.stopped) return;
      this.handling = this.handle(batch.flatMap(payloadOf));
      await this.handling;
    }
  }
}

function payloadOf(msg: JsMsg): unknown[] {
  try {
    return [msg.json()];
  } catch {
    return [];
  }
}
