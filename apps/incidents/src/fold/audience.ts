import type { Queryable } from '@tocsin/database';
import type { TransitionMessage } from '../transitions/transitions.store.ts';

/** As many channels as the notifier can be asked about at once. */
export const MOST_TOLD = 100;

/** The channels of a monitor changed while its incident was open. */
export interface AudienceChange {
  incidentId: string;
  /** The monitor's channels until now: told of the incident, should the record not say who was. */
  former: readonly string[];
  /** The opening for those that have not heard it; its channels are the monitor's present ones until it is widened. */
  message: TransitionMessage;
}

/**
 * Whom an incident's messages go to once its monitor's channels have changed. Whoever heard the beginning hears the rest,
 * and a channel that was added hears the beginning first. Beyond the bound the former ones that heard it first give way.
 */
export function toldAfter(told: readonly string[], channels: readonly string[]): string[] {
  const all = [...new Set([...told, ...channels])];
  let surplus = all.length - MOST_TOLD;
  return all.filter((id) => channels.includes(id) || surplus-- <= 0);
}

/** Whether these are the same channels: order and repetition mean nothing. */
export function isSameSet(before: readonly string[], after: readonly string[]): boolean {
  return before.every((id) => after.includes(id)) && after.every((id) => before.includes(id));
}

/** Records who is told of these incidents from now on, and has each message say so. The caller holds their states. */
export async function widen(tx: Queryable, changes: readonly AudienceChange[]): Promise<void> {
  if (changes.length === 0) return;
  const rows = await tx.query<{ id: string; told: string[] | null }>(
    'SELECT id, told FROM incidents WHERE id = ANY($1::uuid[])',
    [changes.map(({ incidentId }) => incidentId)],
    { name: 'incidents told' },
  );
  const known = new Map(rows.map(({ id, told }) => [id, told]));
  for (const { incidentId, former, message } of changes) {
    message.payload.channels = toldAfter(known.get(incidentId) ?? former, message.payload.channels);
  }
  await tx.query(
    `UPDATE incidents i SET told = n.told FROM unnest($1::uuid[], $2::json[]) AS n (id, told) WHERE i.id = n.id`,
    [
      changes.map(({ incidentId }) => incidentId),
      changes.map(({ message }) => JSON.stringify(message.payload.channels)),
    ],
    { name: 'incidents widen' },
  );
}
