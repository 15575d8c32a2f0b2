import { Injectable } from '@nestjs/common';
import { type IncidentView, subjects } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { type Operation, Operations, type Transaction } from '@tocsin/database';
import { incidentEvent } from '../states/fold-output.ts';
import { TransitionsStore } from '../transitions/transitions.store.ts';
import { IncidentStore } from './incident.store.ts';

/** Carries out what people do with incidents. Each command is carried out once. */
@Injectable()
export class CommandsService {
  constructor(
    private readonly incidents: IncidentStore,
    private readonly operations: Operations,
    private readonly transitions: TransitionsStore,
  ) {}

  /**
   * Notes that somebody has taken an incident on. Acknowledged before, it stays as it is.
   * @throws TocsinError `not_found`; `conflict` for one that is resolved
   */
  acknowledge(input: { id: string; note?: string | undefined }, operation: Operation): Promise<IncidentView> {
    return this.operations.run(operation, { kind: 'incident', id: input.id }, async ({ tx, now }) => {
      const found = await this.incidents.lock(tx, input.id);
      if (!found) throw absent(input.id);
      if (found.view.status === 'resolved') {
        throw new TocsinError('conflict', 'The incident is resolved; there is nothing left to acknowledge.');
      }
      if (found.view.status === 'open')
        await this.markAcknowledged(tx, found, { at: now, by: operation.actor, note: input.note });
      return this.incidents.view(tx, input.id);
    });
  }

  /** Adds a note to an incident's timeline. @throws TocsinError `not_found` */
  note(input: { id: string; text: string }, operation: Operation): Promise<IncidentView> {
    return this.operations.run(operation, { kind: 'incident', id: input.id }, async ({ tx, now }) => {
      if (!(await this.incidents.lock(tx, input.id))) throw absent(input.id);
      const entry = { at: now, what: 'note' as const, by: operation.actor, text: input.text };
      await this.incidents.addEntry(tx, input.id, entry);
      return this.incidents.view(tx, input.id);
    });
  }

  private async markAcknowledged(
    tx: Transaction,
    { view, monitor }: NonNullable<Awaited<ReturnType<IncidentStore['lock']>>>,
    { at, by, note }: { at: number; by: string | undefined; note: string | undefined },
  ): Promise<void> {
    await this.incidents.acknowledge(tx, view.id, { at, by });
    await this.incidents.addEntry(tx, view.id, { at, what: 'acknowledged', by, text: note ?? '' });
    const payload = incidentEvent(monitor, {
      incidentId: view.id,
      transition: 'acknowledged',
      state: view.state,
      reason: view.reason,
      message: view.message,
      at,
      openedAt: view.openedAt,
      ...(by === undefined ? {} : { by }),
      ...(note === undefined ? {} : { note }),
    });
    const message = { id: `${view.id}.acknowledged`, subject: subjects.incidentEvent(view.id), payload };
    await this.transitions.publish(tx, message);
  }
}

function absent(id: string): TocsinError {
  return new TocsinError('not_found', `There is no incident ${id}.`);
}
