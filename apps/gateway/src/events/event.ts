import type { z } from 'zod';
import {
  incidentEvent,
  monitorEvent,
  notificationEvent,
  type routes,
  stateEvent,
  timesAsText,
} from '@tocsin/contracts';
import { withoutSecrets } from '@tocsin/edge';

/** `internal` is for services: it has a place among the events, and no page is sent it. */
export type EventType = 'incident' | 'state' | 'monitor' | 'notification' | 'internal';

/** One thing that happened, ready to be written to any number of streams. */
export interface LiveEvent {
  /** Its place in the stream of events, which is its id. */
  sequence: number;
  type: EventType;
  monitorId: string | undefined;
  text: string;
}

/** What each event that pages are sent consists of. */
const SCHEMAS = { incident: incidentEvent, state: stateEvent, monitor: monitorEvent, notification: notificationEvent };

const TYPES: Record<string, EventType> = {
  incidents: 'incident',
  states: 'state',
  monitors: 'monitor',
  notifications: 'notification',
  tokens: 'internal',
};

/** An event from a message of the stream; undefined for what is no event that pages know. */
export function eventOf(message: { subject: string; sequence: number; data: unknown }): LiveEvent | undefined {
  const type = TYPES[message.subject.split('.')[1] ?? ''];
  const { sequence, data } = message;
  if (!type || typeof data !== 'object' || data === null) return undefined;
  const monitorId = 'monitorId' in data && typeof data.monitorId === 'string' ? data.monitorId : undefined;
  // An opening that is told to more channels is no news of the incident.
  if (type === 'internal' || 'reminded' in data) return { sequence, type: 'internal', monitorId: undefined, text: '' };
  const text = `id: ${sequence}\nevent: ${type}\ndata: ${withoutSecrets(JSON.stringify(timesAsText(SCHEMAS[type])(data)))}\n\n`;
  return { sequence, type, monitorId, text };
}

export type EventFilter = z.output<(typeof routes.events)['query']>;

export function matches(filter: EventFilter, event: LiveEvent): boolean {
  if (event.type === 'internal') return false;
  if (filter.type && !filter.type.includes(event.type)) return false;
  return filter.monitorId === undefined || filter.monitorId === event.monitorId;
}
