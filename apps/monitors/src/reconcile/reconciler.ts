import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import { streams, subjects } from '@tocsin/contracts';
import { newId, TocsinError, within } from '@tocsin/core';
import type { OutboxMessage } from '@tocsin/database';
import { Messaging } from '@tocsin/messaging';
import { CONFIG, Drain } from '@tocsin/service';
import { tombstone } from '../config-events.ts';
import type { MonitorsConfig } from '../monitors.config.ts';
import { compare, type Published } from './compare.ts';
import { type Kind, ReconcileStore } from './reconcile.store.ts';

/** A change this young is still on its way through the outbox. */
const SETTLING_MS = 5_000;
/** After a start nobody waits for the turn, unless another instance has had it just now. */
const FIRST_MS = 5_000;
/** CONFIG exists anew: nobody waits for the turn, unless another instance has had it since. */
const RECREATED_MS = 250;
const READ_MS = 30_000;
const BATCH = 200;

const corrections = metrics.getMeter('tocsin').createCounter('tocsin_config_corrections_total', {
  description: 'Messages that CONFIG lacked and were published again',
});

/**
 * Makes CONFIG say what the record says, from time to time and by one instance: the stream may have lost messages, have
 * been deleted under the running system, or have got two changes in the wrong order.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap {
  private readonly logger = new Logger('Reconciler');
  private timer: NodeJS.Timeout | undefined;
  private again: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: ReconcileStore,
    private readonly messaging: Messaging,
    private readonly drain: Drain,
    @Inject(CONFIG) private readonly config: MonitorsConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.drain.onStop('stop-taking', async () => {
      clearTimeout(this.timer);
      clearTimeout(this.again);
      await this.running;
    });
    this.messaging.onStreamRecreated((stream) => {
      if (stream === streams.config.name) this.recreated();
    });
    this.schedule(0, Math.min(FIRST_MS, this.config.reconcileMs));
  }

  /** Compares and corrects now. @returns how many messages were published */
  async reconcile(): Promise<number> {
    const published = await this.readConfig();
    const messages = [
      ...(await this.corrections('monitors', published.monitors)),
      ...(await this.corrections('channels', published.channels)),
    ];
    for (let at = 0; at < messages.length; at += BATCH) {
      const batch = messages.slice(at, at + BATCH);
      await Promise.all(batch.map((one) => this.messaging.publish(one.subject, one.payload, { id: newId() })));
    }
    if (messages.length > 0) {
      corrections.add(messages.length);
      this.logger.warn(`CONFIG lacked ${messages.length} messages; they are published again`);
    }
    return messages.length;
  }

  /** All is published again at once; and once more for changes so young that they were left out, and lost just before. */
  private recreated(): void {
    const turn = (): void => void (this.running = this.running.then(() => this.turn(RECREATED_MS)));
    if (this.drain.stopping) return;
    turn();
    clearTimeout(this.again);
    this.again = setTimeout(turn, SETTLING_MS + RECREATED_MS);
  }

  private schedule(delayMs: number, claimMs: number): void {
    this.timer = setTimeout(() => {
      this.running = this.running
        .then(() => this.turn(claimMs))
        .finally(() => {
          // A little less than the period, so that the turn is not lost to the jitter of timers.
          if (!this.drain.stopping) this.schedule(this.config.reconcileMs, this.config.reconcileMs * 0.9);
        });
    }, delayMs);
  }

  private async turn(claimMs: number): Promise<void> {
    try {
      if (!(await this.store.claim(claimMs))) return;
      await this.reconcile();
      await this.store.tidy();
    } catch (error) {
      const expected = error instanceof TocsinError && error.retry;
      this.logger[expected ? 'warn' : 'error'](`CONFIG was not compared with the record: ${String(error)}`);
    }
  }

  /** The newest revision of everything in CONFIG. It must be read before the record: see compare. */
  private async readConfig(): Promise<Record<Kind, Map<string, Published>>> {
    const seen = { monitors: new Map<string, Published>(), channels: new Map<string, Published>() };
    const follow = await this.messaging.follow(
      { stream: streams.config.name, filters: [...streams.config.subjects], from: 'last-per-subject' },
      ({ subject, data }) => {
        const kind = subject.startsWith(subjects.monitorConfig('')) ? 'monitors' : 'channels';
        const { id, revision, deleted } = (data ?? {}) as Partial<Published & { id: string }>;
        if (id !== undefined && revision !== undefined) seen[kind].set(id, { revision, deleted: deleted === true });
      },
    );
    try {
      await within(follow.caughtUp, READ_MS, () => {
        throw new TocsinError('deadline', 'CONFIG could not be read in time');
      });
    } finally {
      await follow.stop();
    }
    return seen;
  }

  private async corrections(kind: Kind, published: Map<string, Published>): Promise<OutboxMessage[]> {
    const { settled, fresh } = await this.store.revisions(kind, SETTLING_MS);
    for (const id of fresh) published.delete(id);
    const tombstones = await this.store.tombstones(kind);
    const { publish, remove } = compare(published, settled, tombstones);
    const messages = remove.map((gone) => tombstone(kind, gone));
    const subject = kind === 'monitors' ? subjects.monitorConfig : subjects.channelConfig;
    for (let at = 0; at < publish.length; at += BATCH) {
      const records = await this.store.records(kind, publish.slice(at, at + BATCH));
      messages.push(...records.map((record) => ({ subject: subject(record.id), payload: record })));
    }
    return messages;
  }
}
