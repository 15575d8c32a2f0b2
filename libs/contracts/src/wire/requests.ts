import { z } from 'zod';
import { changesQuestion, changeView } from '../administration/change.ts';
import { channel } from '../notifications/channel.ts';
import { notificationView } from '../notifications/notification.ts';
import { outcome } from '../monitoring/check.ts';
import { epochMs, id, limit, page, tag } from '../schema/fields.ts';
import { incidentView, stateName, stateView, transition } from '../incidents/incident.ts';
import { monitorKind } from '../monitoring/kinds/kinds.ts';
import { anyMonitor } from '../monitoring/monitor.ts';
import { coverageReport, monitorTally, resultView, rollup, summary, uptimeReport } from '../monitoring/report.ts';
import { instanceView } from '../administration/system.ts';
import { role, token } from '../administration/token.ts';
import type { CommandOwner } from './commands.ts';

/** Reads: core request / reply to a queue group, with a deadline. */
function request<I extends z.ZodType, O extends z.ZodType>(subject: string, input: I, output: O, timeoutMs = 2_000) {
  return { kind: 'request' as const, subject, input, output, timeoutMs };
}

const byId = z.strictObject({ id });
const cursor = z.string().max(500).optional();

/** A value from a cache says how old it is and whether it may be out of date. The edge says it in headers. */
export type Aged<T = object> = T & { ageMs: number; stale: boolean };
const aged = { ageMs: z.number().min(0).default(0), stale: z.boolean().default(false) };
const agedPage = <T extends z.ZodType>(item: T) => z.object({ ...page(item).shape, ...aged });

export const monitorsQuery = z.strictObject({
  tag: z.union([tag, z.array(tag).max(10)]).optional(),
  kind: monitorKind.optional(),
  paused: z.stringbool().or(z.boolean()).optional(),
  q: z
    .string()
    .min(1)
    .max(120)
    .optional()
    .meta({ description: 'A part of the name, in any case and form of its letters' }),
  cursor,
  limit,
});
const range = { from: epochMs, to: epochMs };
export const incidentsQuery = z.strictObject({
  monitorId: id.optional(),
  status: z.enum(['open', 'acknowledged', 'resolved']).optional(),
  cursor,
  limit,
});
export const notificationsQuery = z.strictObject({
  incidentId: id.optional(),
  channelId: id.optional(),
  status: z.enum(['pending', 'sending', 'sent', 'failed', 'cancelled']).optional(),
  cursor,
  limit,
});

const operation = z.object({
  /** `unknown`: the owner has no record of it (it may still be on its way: ask the stream). */
  status: z.enum(['done', 'failed', 'unknown']),
  result: z.unknown().optional(),
  error: z
    .looseObject({
      code: z.string(),
      message: z.string(),
      fields: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
      details: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
  /** What the operation is recorded for: its result is for that request alone. Absent: unknown, or the previous version. */
  requestHash: z.string().optional(),
});

/** Names a transition among all; an incident goes through each of them once. */
const transitionKey = { incidentId: id, transition };

/** The subject that asks the owner of a command what came of an operation. */
const operationOf = (service: string) =>
  request(`operations.${service}.get`, z.strictObject({ operationId: id }), operation);

/** The subject that asks the owner of commands who gave them. */
const changesOf = (service: string) =>
  request(`changes.${service}.list`, changesQuestion, z.object({ items: z.array(changeView) }));

export const requests = {
  monitorsGet: request('monitors.get', byId, z.object({ monitor: anyMonitor, ...aged })),
  monitorsList: request('monitors.list', monitorsQuery, agedPage(anyMonitor)),
  channelsGet: request('monitors.channels.get', byId, z.object({ ...channel.shape, ...aged })),
  channelsList: request('monitors.channels.list', z.strictObject({ cursor, limit }), agedPage(channel)),
  tokensList: request('monitors.tokens.list', z.strictObject({ cursor, limit }), page(token)),
  /** Who a token belongs to; asked with the hash, so the secret goes no further than the gateway. */
  tokensVerify: request(
    'monitors.tokens.verify',
    z.strictObject({ hash: z.string().regex(/^[0-9a-f]{64}$/) }),
    z.object({
      token: z.object({ id, name: z.string(), role, expiresAt: epochMs.optional() }).nullable(),
    }),
  ),
  statesGet: request(
    'status.states.get',
    z.strictObject({ monitorIds: z.array(id).max(500) }),
    z.object({ items: z.array(stateView), ...aged }),
  ),
  statesList: request(
    'status.states.list',
    z.strictObject({ state: stateName.optional(), cursor, limit }),
    agedPage(stateView),
  ),
  summary: request('status.summary', z.strictObject({}), z.object({ ...summary.shape, ...aged })),
  results: request(
    'status.results',
    z.strictObject({ monitorId: id, ...range, outcome: z.array(outcome).max(4).optional(), cursor, limit }),
    agedPage(resultView),
    5_000,
  ),
  rollups: request(
    'status.rollups',
    z.strictObject({ monitorId: id, ...range, seconds: z.union([z.literal(300), z.literal(3600), z.literal(86_400)]) }),
    z.object({ items: z.array(rollup), ...aged }),
    5_000,
  ),
  uptime: request(
    'status.uptime',
    z.strictObject({ monitorId: id, ...range }),
    z.object({ ...uptimeReport.shape, ...aged }),
    5_000,
  ),
  coverage: request(
    'status.coverage',
    /** Without a monitor: of all, those that were deleted since included. */
    z.strictObject({ monitorId: id.optional(), ...range }),
    z.object({ ...coverageReport.shape, ...aged }),
    5_000,
  ),
  /** What metrics say of each monitor. */
  tallies: request('status.tallies', z.strictObject({ cursor, limit }), agedPage(monitorTally), 5_000),
  incidentsList: request('status.incidents.list', incidentsQuery, agedPage(incidentView)),
  incidentsGet: request('status.incidents.get', byId, z.object({ ...incidentView.shape, ...aged })),
  notificationsList: request('status.notifications.list', notificationsQuery, agedPage(notificationView)),
  notificationsGet: request('status.notifications.get', byId, z.object({ ...notificationView.shape, ...aged })),
  operationsOfMonitors: operationOf('monitors'),
  operationsOfIncidents: operationOf('incidents'),
  operationsOfNotifier: operationOf('notifier'),
  changesOfMonitors: changesOf('monitors'),
  changesOfIncidents: changesOf('incidents'),
  changesOfNotifier: changesOf('notifier'),
  /** Which of these transitions the notifier has recorded for every channel that is still there. */
  transitionsKnown: request(
    'notifier.transitions.known',
    z.strictObject({
      transitions: z.array(z.strictObject({ ...transitionKey, channels: z.array(id).max(100) })).max(200),
    }),
    z.object({ known: z.array(z.object(transitionKey)) }),
  ),
  /** Broadcast: every instance of every service answers. */
  systemPing: request('system.ping', z.strictObject({}), instanceView, 500),
} as const;

/** By which each owner of commands says what came of an operation. */
export const operationRequests = {
  monitors: requests.operationsOfMonitors,
  incidents: requests.operationsOfIncidents,
  notifier: requests.operationsOfNotifier,
} satisfies Record<CommandOwner, ReturnType<typeof operationOf>>;

/** By which each owner of commands says who gave them. */
export const changeRequests = {
  monitors: requests.changesOfMonitors,
  incidents: requests.changesOfIncidents,
  notifier: requests.changesOfNotifier,
} satisfies Record<CommandOwner, ReturnType<typeof changesOf>>;
