import { type Channel, type Monitor, type MonitorEvent, subjects, type TokenRevoked } from '@tocsin/contracts';
import type { OutboxMessage } from '@tocsin/database';
import type { Revised } from './record.ts';

/** What the rest of the system is told of a change, in the transaction of the change. */
export function monitorChanged(monitor: Monitor, change: 'created' | 'updated'): OutboxMessage[] {
  return [
    { subject: subjects.monitorConfig(monitor.id), payload: monitor },
    eventOf(monitor, change, monitor.updatedAt),
  ];
}

export function monitorDeleted(monitor: Monitor, at: number): OutboxMessage[] {
  return [tombstone('monitors', monitor, at), eventOf(monitor, 'deleted', at)];
}

export function channelChanged(channel: Channel): OutboxMessage {
  return { subject: subjects.channelConfig(channel.id), payload: channel };
}

export function tokenRevoked(tokenId: string, at: number): OutboxMessage {
  return { subject: subjects.tokenEvent(tokenId), payload: { tokenId, at } satisfies TokenRevoked };
}

/** Says in CONFIG that a record is gone, at the revision of its end, and since when, if that is known. */
export function tombstone(kind: 'monitors' | 'channels', { id, revision }: Revised, at?: number): OutboxMessage {
  const subject = kind === 'monitors' ? subjects.monitorConfig(id) : subjects.channelConfig(id);
  return { subject, payload: { id, revision, deleted: true, ...(at === undefined ? {} : { at }) } };
}

function eventOf({ id, revision, spec }: Monitor, change: MonitorEvent['change'], at: number): OutboxMessage {
  const payload: MonitorEvent = { monitorId: id, name: spec.name, change, revision, at };
  return { subject: subjects.monitorEvent(id), payload };
}
