import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { metrics } from '@opentelemetry/api';
import { streams, subjects } from '@tocsin/contracts';
import { newId, sleep, TocsinError, within } from '@tocsin/core';
import type { OutboxMessage } from '@tocsin/database';
import { Messaging } from '@tocsin/messaging';
import { CONFIG, Periodic } from '@tocsin/service';
import { tombstone } from '../config-events.ts';
import type { MonitorsConfig } from '../monitors.config.ts';
import { compare, type Published } from './compare.ts';
import { type Kind, ReconcileStore } from './reconcile.store.ts';

/** A change this young is still on its way through the outbox. */
const SETTLING_MS = 5_000;
/** After a start the turn is taken at once, unless another instance had it just now. */
const FIRST_MS = 5_000;
/** When CONFIG was created again the turn is taken at once, unless another instance had it since then. */
const RECREATED_MS = 250;
const READ_MS = 30_000;
const BATCH = 200;
const JOB = 'comparing CONFIG with the record';

const corrections = metrics.getMeter('tocsin').createCounter('tocsin_config_corrections_total', {
  description: 'Messages that CONFIG lacked and were published again',
});

/**
 * Makes CONFIG say what the record says. One instance at a time does so periodically: the stream may have lost messages,
 * may have been deleted under the running system, or may have got two changes in the wrong order.
 */
@Injectable()
export class Reconciler implements OnApplicationBootstrap {
  private readonly logger = new Logger('Reconciler');
  /** The last turn of this instance: the next one waits for it. */
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: ReconcileStore,
    private readonly messaging: Messaging,
    private readonly periodic: Periodic,
    @Inject(CONFIG) private readonly config: MonitorsConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.messaging.onStreamRecreated((stream) => {
      if (stream === streams.config.name) this.recreated();
    });
    const { reconcileMs } = this.config;
    this.periodic.once(JOB, () => this.turn(Math.min(FIRST_MS, reconcileMs)));
    // A little less than the period, so that the turn is not lost to the jitter of timers.
    this.periodic.every(reconcileMs, JOB, () => this.turn(reconcileMs * 0.9));
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

  /** Publishes all at once, and later the changes that were left out because they were young, and may be lost as well. */
  private recreated(): void {
    this.periodic.once(JOB, () => this.turn(RECREATED_MS));
    this.periodic.once(JOB, async (stopping) => {
      await sleep(SETTLING_MS + RECREATED_MS, stopping).catch(() => undefined);
      if (!stopping.aborted) await this.turn(RECREATED_MS);
    });
  }

  /** Compares and corrects, unless an instance did so in the last `claimMs`. */
  private turn(claimMs: number): Promise<void> {
    const turn = this.last.then(() => this.takeTurn(claimMs));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async takeTurn(claimMs: number): Promise<void> {
    if (!(await this.store.claim(claimMs))) return;
    await this.reconcile();
    await this.store.tidy();
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
