import { Injectable, Logger } from '@nestjs/common';
import { consumers, requests } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { redriven } from '../incidents.metrics.ts';
import { isLost } from './redrive.rules.ts';
import { TransitionsStore, type Unconfirmed } from './transitions.store.ts';

const BATCH = 200;
/** Most batches in one round. */
const ROUNDS_MAX = 10;
/** For how long what was claimed is this instance's: longer than a question to the notifier can take. */
const LEASE_MS = 5_000;

/**
 * Drives again from the record what the stream lost after it had acknowledged it: asks the notifier which transitions it
 * has recorded, forgets those, and publishes the others once more. An alert may be repeated on the road, where it changes
 * nothing, and may not be lost, so there is no last attempt. Any instance may do it at any time.
 */
@Injectable()
export class RedriveService {
  private readonly logger = new Logger(RedriveService.name);
  private answered = true;

  constructor(
    private readonly transitions: TransitionsStore,
    private readonly messaging: Messaging,
  ) {}

  /** One round. @throws TocsinError while the database or the broker is unreachable; what was claimed is asked about later */
  async run(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const claimed = await this.transitions.claim(BATCH, LEASE_MS);
      const acknowledged = claimed.filter(({ inOutbox }) => !inOutbox);
      if (acknowledged.length > 0 && !(await this.settle(acknowledged))) return;
      if (claimed.length < BATCH) return;
    }
  }

  /** A round about everything, now: the stream was created again, so whatever was on it is gone. */
  async runAtOnce(): Promise<void> {
    await this.transitions.hurry();
    await this.run();
  }

  /** @returns false when the notifier does not answer: all of them are asked about later */
  private async settle(asked: readonly Unconfirmed[]): Promise<boolean> {
    const known = await this.ask(asked);
    if (!known) return false;
    const names = new Set(known.map(nameOf));
    await this.transitions.forget(asked.filter(({ payload }) => names.has(nameOf(payload))));
    const unknown = asked.filter(({ payload }) => !names.has(nameOf(payload)));
    if (unknown.length === 0) return true;
    const backlog = await this.backlog();
    const lost = unknown.filter(({ ageMs }) => isLost({ ageMs, backlog }));
    const again = lost.length === 0 ? 0 : await this.transitions.publishAgain(lost);
    if (again === 0) return true;
    redriven.add(again);
    this.logger.warn(`${again} transitions never reached the notifier; they are published again`);
    return true;
  }

  private async ask(asked: readonly Unconfirmed[]): Promise<Pick<Unconfirmed['payload'], Named>[] | undefined> {
    const transitions = asked.map(({ payload: { incidentId, transition, channels } }) => ({
      incidentId,
      transition,
      channels,
    }));
    try {
      const { known } = await this.messaging.request(requests.transitionsKnown, { transitions });
      this.answered = true;
      return known;
    } catch (error) {
      if (!(error instanceof TocsinError && error.retry)) throw error;
      if (this.answered) this.logger.warn(`the notifier is asked for what it has recorded later: ${error.message}`);
      this.answered = false;
      return undefined;
    }
  }

  /** How many messages wait for the notifier. */
  private async backlog(): Promise<number> {
    const queues = await this.messaging.queues();
    const waiting = queues
      .flatMap((queue) => queue.consumers)
      .filter(({ durable }) => durable === consumers.notifierIncidents.durable);
    return waiting.reduce((sum, { pending, ackPending }) => sum + pending + ackPending, 0);
  }
}

type Named = 'incidentId' | 'transition';

function nameOf(of: Pick<Unconfirmed['payload'], Named>): string {
  return `${of.incidentId}.${of.transition}`;
}
