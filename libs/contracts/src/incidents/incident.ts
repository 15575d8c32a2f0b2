import { z } from 'zod';
import { epochMs, id, text } from '../schema/fields.ts';

export const stateName = z.enum(['up', 'down', 'degraded', 'unknown', 'paused', 'maintenance']);
export type StateName = z.infer<typeof stateName>;

/** A monitor's present verdict, as the read side shows it. */
export const stateView = z.object({
  monitorId: id,
  name: z.string(),
  state: stateName,
  since: epochMs,
  reason: z.string(),
  message: z.string(),
  lastDueAt: epochMs.optional(),
  lastResultAt: epochMs.optional(),
  lastDurationMs: z.number().optional(),
  openIncidentId: id.optional(),
});
export type StateView = z.infer<typeof stateView>;

export const transition = z.enum(['opened', 'acknowledged', 'resolved']);
export type Transition = z.infer<typeof transition>;

/** `events.incidents.<incidentId>`: one transition of an incident, with all that a notification says. */
export const incidentEvent = z.object({
  incidentId: id,
  monitorId: id,
  monitorName: z.string(),
  transition,
  state: stateName,
  reason: z.string(),
  message: z.string(),
  at: epochMs,
  openedAt: epochMs,
  by: z.string().optional(),
  note: z.string().optional(),
  /** Who is told: the channels that heard the opening, or are to hear it by this event. */
  channels: z.array(id),
  /**
   * Given with an opening that is published again because the monitor's channels changed while the incident was open:
   * those that are reminded of it from now on. The highest revision of the monitor counts.
   */
  reminded: z.object({ channels: z.array(id), revision: z.int() }).optional(),
  remindEvery: z.string().optional(),
});
export type IncidentEvent = z.infer<typeof incidentEvent>;

/** `events.states.<monitorId>`: a monitor's state changed. */
export const stateEvent = z.object({
  monitorId: id,
  monitorName: z.string(),
  from: stateName,
  to: stateName,
  at: epochMs,
  reason: z.string(),
  message: z.string(),
});
export type StateEvent = z.infer<typeof stateEvent>;

/** `events.monitors.<monitorId>`: configuration changed. */
export const monitorEvent = z.object({
  monitorId: id,
  name: z.string(),
  change: z.enum(['created', 'updated', 'deleted']),
  revision: z.int(),
  at: epochMs,
});
export type MonitorEvent = z.infer<typeof monitorEvent>;

export const timelineEntry = z.object({
  at: epochMs,
  what: z.enum(['opened', 'acknowledged', 'note', 'resolved', 'changed']),
  by: z.string().optional(),
  text: z.string(),
});
export type TimelineEntry = z.infer<typeof timelineEntry>;

export const incidentView = z.object({
  id,
  monitorId: id,
  monitorName: z.string(),
  status: z.enum(['open', 'acknowledged', 'resolved']),
  state: stateName,
  reason: z.string(),
  message: z.string(),
  openedAt: epochMs,
  acknowledgedAt: epochMs.optional(),
  acknowledgedBy: z.string().optional(),
  resolvedAt: epochMs.optional(),
  timeline: z.array(timelineEntry).optional(),
});
export type IncidentView = z.infer<typeof incidentView>;

export const acknowledgeSpec = z.strictObject({ note: text(2000).optional() });
export const noteSpec = z.strictObject({ text: text(2000, 1) });
