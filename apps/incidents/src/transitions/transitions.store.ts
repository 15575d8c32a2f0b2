import { Injectable } from '@nestjs/common';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { type IncidentEvent, subjects } from '@tocsin/contracts';
import { Database, Outbox, type OutboxMessage, type Queryable } from '@tocsin/database';
import { pauseMs } from './redrive.rules.ts';
import * as sql from './transitions.sql.ts';

/** A transition of an incident as it goes through the outbox. */
export interface TransitionMessage extends OutboxMessage {
  id: string;
  payload: IncidentEvent;
}

/** A transition that the notifier has not said to know yet. */
export interface Unconfirmed {
  payload: IncidentEvent;
  headers: Record<string, string>;
  /** Under which id it was published the last time. */
  messageId: string;
  /** How often it was published, and how long ago the last time. */
  published: number;
  ageMs: number;
  /** The stream has not acknowledged it yet: there is no need to ask. */
  inOutbox: boolean;
}

interface UnconfirmedRow extends Omit<Unconfirmed, 'ageMs' | 'inOutbox'> {
  age_ms: number;
  in_outbox: boolean;
}

/** The transitions that the notifier is to know, kept until it says so. */
@Injectable()
export class TransitionsStore {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
  ) {}

  /** Keeps those that somebody is to be notified of, in the transaction that records and publishes them. */
  async keep(tx: Queryable, messages: readonly TransitionMessage[]): Promise<void> {
    const kept = messages.filter(({ payload }) => payload.channels.length > 0);
    if (kept.length === 0) return;
    const columns = [
      kept.map(({ payload }) => payload.incidentId),
      kept.map(({ payload }) => payload.transition),
      kept.map(({ payload }) => JSON.stringify(payload)),
      kept.map(({ headers }) => JSON.stringify(headers ?? {})),
      kept.map(({ id }) => id),
    ];
    await tx.query(sql.KEEP, columns, { name: 'transitions keep' });
  }

  /** Keeps one and publishes it once the caller's transaction is committed. */
  async publish(tx: Queryable, message: TransitionMessage): Promise<void> {
    await this.keep(tx, [message]);
    await this.outbox.add(tx, message);
  }

  /** Up to `limit` that it is time to ask about. They are this instance's for `leaseMs`; then any other one takes them. */
  async claim(limit: number, leaseMs: number): Promise<Unconfirmed[]> {
    const rows = await this.database.query<UnconfirmedRow>(sql.CLAIM, [limit, leaseMs], { name: 'transitions claim' });
    return rows.map(({ age_ms, in_outbox, ...row }) => ({ ...row, ageMs: age_ms, inOutbox: in_outbox }));
  }

  /** Forgets those that the notifier knows. */
  async forget(known: readonly Pick<Unconfirmed, 'payload' | 'messageId'>[]): Promise<void> {
    if (known.length === 0) return;
    const columns = [
      known.map(({ payload }) => payload.incidentId),
      known.map(({ payload }) => payload.transition),
      known.map(({ messageId }) => messageId),
    ];
    await this.database.query(sql.FORGET, columns, { name: 'transitions forget' });
  }

  /** Publishes them once more through the outbox, each under an id that the stream has not seen. @returns how many */
  async publishAgain(lost: readonly Unconfirmed[]): Promise<number> {
    const messages = lost.map(({ payload, headers, published }) => ({
      id: `${payload.incidentId}.${payload.transition}.${published + 1}`,
      subject: subjects.incidentEvent(payload.incidentId),
      payload,
      headers,
    }));
    const columns = [
      lost.map(({ payload }) => payload.incidentId),
      lost.map(({ payload }) => payload.transition),
      lost.map(({ published }) => published),
      messages.map(({ id }) => id),
      lost.map(({ published }) => pauseMs(published + 1)),
    ];
    return this.database.transaction(async (tx) => {
      const rows = await tx.query<{ message_id: string }>(sql.AGAIN, columns, { name: 'transitions again' });
      const ids = new Set(rows.map(({ message_id }) => message_id));
      const again = messages.filter(({ id }) => ids.has(id));
      // Each goes on in the trace that it began in.
      await context.with(ROOT_CONTEXT, () => this.outbox.addMany(tx, again));
      return again.length;
    });
  }

  /** Makes it time to ask about all of them. */
  async hurry(): Promise<void> {
    await this.database.query(sql.HURRY, [], { name: 'transitions hurry' });
  }
}
