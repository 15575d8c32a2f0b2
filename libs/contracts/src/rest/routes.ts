import { z } from 'zod';
import { changeView } from '../administration/change.ts';
import { channel, channelSpec } from '../notifications/channel.ts';
import { notificationView } from '../notifications/notification.ts';
import { id, page } from '../schema/fields.ts';
import { acknowledgeSpec, incidentView, noteSpec, stateView } from '../incidents/incident.ts';
import { monitorSpec } from '../monitoring/monitor.ts';
import { coverageReport, resultView, rollup, summary, uptimeReport } from '../monitoring/report.ts';
import { incidentsQuery, monitorsQuery, notificationsQuery } from '../wire/requests.ts';
import { createdToken, token, tokenSpec } from '../administration/token.ts';
import { examples } from './examples.ts';
import * as input from './inputs.ts';
import { kindsView } from './kinds.ts';
import { group, MONITOR_BODY_BYTES } from './route.ts';
import {
  deadLetterView,
  eventView,
  monitorListItem,
  monitorView,
  operationName,
  operationView,
  systemView,
} from './views.ts';

const { byId: params, paging } = input;
const MERGE_PATCH = ['application/merge-patch+json', 'application/json'];
const gone = z.undefined();

const monitors = group('Monitors');
const channels = group('Channels');
const tokens = group('Tokens');
const reports = group('State and history');
const incidents = group('Incidents');
const notifications = group('Notifications');
const deadLetters = group('Dead letters');
const system = group('System');
const heartbeats = group('Heartbeats');

const monitorBody = { bodyBytes: MONITOR_BODY_BYTES, etag: true } as const;
const monitorPatch = {
  ...monitorBody,
  params,
  body: z.record(z.string(), z.unknown()).meta({ description: 'JSON Merge Patch (RFC 7396) of the specification' }),
  bodyTypes: MERGE_PATCH,
  examples: examples.monitorPatch,
  conditional: 'if-match',
} as const;
const ofMonitor = { params } as const;
const heartbeat = {
  params: input.heartbeatParams,
  query: input.heartbeatQuery,
  status: 200,
  work: 'direct',
  description:
    'The body is kept as the message, whatever its length and Content-Type: its first 10,000 characters, in the charset ' +
    'that it names (or UTF-8; what is invalid is replaced). The rest is read and dropped. With a Content-Encoding there ' +
    'is no message.',
} as const;
const message = { body: z.string(), bodyTypes: ['*/*'], examples: examples.heartbeat } as const;
const heartbeatSignal = { ...heartbeat, params: input.heartbeatSignalParams } as const;
const received = z.object({ ok: z.literal(true) });

/** Every address of the API. The gateway serves exactly these, and docs/openapi.json says them. */
export const routes = {
  monitorsCreate: monitors('editor', 'POST /v1/monitors', ['Create a monitor', monitorView], {
    ...monitorBody,
    body: monitorSpec,
    examples: examples.monitors,
    status: 201,
  }),
  monitorsList: monitors('viewer', 'GET /v1/monitors', ['List monitors with their states', page(monitorListItem)], {
    query: monitorsQuery,
  }),
  monitorsGet: monitors('viewer', 'GET /v1/monitors/{id}', ['Read a monitor', monitorView], {
    params,
    etag: true,
    conditional: 'if-none-match',
  }),
  monitorsReplace: monitors('editor', 'PUT /v1/monitors/{id}', ['Replace a monitor', monitorView], {
    ...monitorBody,
    params,
    body: monitorSpec,
    examples: examples.monitors,
    conditional: 'if-match',
  }),
  monitorsPatch: monitors('editor', 'PATCH /v1/monitors/{id}', ['Change a monitor', monitorView], monitorPatch),
  monitorsDelete: monitors('editor', 'DELETE /v1/monitors/{id}', ['Delete a monitor', gone], {
    params,
    status: 204,
    conditional: 'if-match',
  }),
  monitorsPause: monitors('editor', 'POST /v1/monitors/{id}/pause', ['Pause a monitor', monitorView], {
    params,
    etag: true,
    conditional: 'if-match',
  }),
  monitorsResume: monitors('editor', 'POST /v1/monitors/{id}/resume', ['Resume a monitor', monitorView], {
    params,
    etag: true,
    conditional: 'if-match',
  }),
  monitorsCheck: monitors('editor', 'POST /v1/monitors/{id}/check', ['Check now', z.object({ id })], ofMonitor),

  results: reports('viewer', 'GET /v1/monitors/{id}/results', ['Raw history, newest first', page(resultView)], {
    params,
    query: input.resultsQuery,
  }),
  rollups: reports('viewer', 'GET /v1/monitors/{id}/rollups', ['Rolled-up history', page(rollup)], {
    params,
    query: input.rollupsQuery,
  }),
  uptime: reports(
    'viewer',
    'GET /v1/monitors/{id}/uptime',
    ['Uptime, latency percentiles and coverage over a range', uptimeReport],
    { params, query: input.rangeQuery },
  ),
  monitorsCoverage: reports(
    'viewer',
    'GET /v1/monitors/{id}/coverage',
    ['How the windows of a monitor ended that were due in a range', coverageReport],
    {
      params,
      query: input.rangeQuery,
      description: 'Which windows did not run in time, say the results with `outcome=missed&outcome=late`.',
    },
  ),
  coverage: reports(
    'viewer',
    'GET /v1/coverage',
    ['How the windows of all monitors ended that were due in a range', coverageReport],
    { query: input.rangeQuery, description: 'Windows of monitors that were deleted since are among them.' },
  ),
  metrics: reports('viewer', 'GET /v1/metrics', ['State and coverage of every monitor, for Prometheus', z.string()], {
    answerType: 'text/plain; version=0.0.4; charset=utf-8',
    description: 'At most 20,000 monitors; `tocsin_monitors_omitted` says whether some are left out.',
  }),
  states: reports('viewer', 'GET /v1/states', ['The present state of monitors', page(stateView)], {
    query: input.statesQuery,
  }),
  summary: reports('viewer', 'GET /v1/summary', ['How everything is, in numbers', summary]),

  channelsCreate: channels('editor', 'POST /v1/channels', ['Create a channel', channel], {
    body: channelSpec,
    examples: examples.channels,
    status: 201,
    etag: true,
  }),
  channelsList: channels('viewer', 'GET /v1/channels', ['List channels', page(channel)], { query: paging }),
  channelsGet: channels('viewer', 'GET /v1/channels/{id}', ['Read a channel', channel], {
    params,
    etag: true,
    conditional: 'if-none-match',
  }),
  channelsReplace: channels('editor', 'PUT /v1/channels/{id}', ['Replace a channel', channel], {
    params,
    body: channelSpec,
    examples: examples.channels,
    etag: true,
    conditional: 'if-match',
  }),
  channelsDelete: channels('editor', 'DELETE /v1/channels/{id}', ['Delete a channel', gone], {
    params,
    status: 204,
    conditional: 'if-match',
  }),
  channelsTest: channels(
    'editor',
    'POST /v1/channels/{id}/test',
    ['Send a test notification', notificationView],
    ofMonitor,
  ),

  tokensCreate: tokens('admin', 'POST /v1/tokens', ['Create an API token; its secret is shown once', createdToken], {
    body: tokenSpec,
    examples: examples.tokens,
    status: 201,
  }),
  tokensList: tokens('admin', 'GET /v1/tokens', ['List API tokens', page(token)], { query: paging }),
  tokensDelete: tokens('admin', 'DELETE /v1/tokens/{id}', ['Revoke an API token', gone], { params, status: 204 }),

  incidentsList: incidents('viewer', 'GET /v1/incidents', ['List incidents, newest first', page(incidentView)], {
    query: incidentsQuery,
  }),
  incidentsGet: incidents('viewer', 'GET /v1/incidents/{id}', ['Read an incident with its timeline', incidentView], {
    params,
  }),
  incidentsAcknowledge: incidents(
    'editor',
    'POST /v1/incidents/{id}/acknowledge',
    ['Acknowledge an incident', incidentView],
    { params, body: acknowledgeSpec.default({}), examples: examples.acknowledge },
  ),
  incidentsNote: incidents('editor', 'POST /v1/incidents/{id}/notes', ['Add a note to an incident', incidentView], {
    params,
    body: noteSpec,
    examples: examples.note,
    status: 201,
  }),

  notificationsList: notifications(
    'viewer',
    'GET /v1/notifications',
    ['What was sent, when, to whom, and what came back', page(notificationView)],
    { query: notificationsQuery },
  ),
  notificationsGet: notifications('viewer', 'GET /v1/notifications/{id}', ['Read a notification', notificationView], {
    params,
  }),

  deadLettersList: deadLetters(
    'admin',
    'GET /v1/dead-letters',
    ['Messages that could not be handled', page(deadLetterView)],
    { query: input.deadLettersQuery },
  ),
  deadLettersGet: deadLetters('admin', 'GET /v1/dead-letters/{id}', ['Read a dead letter', deadLetterView], {
    params: input.sequenceParam,
  }),
  deadLettersRedrive: deadLetters(
    'admin',
    'POST /v1/dead-letters/{id}/redrive',
    ['Send a dead letter to its handler once more', gone],
    { params: input.sequenceParam, status: 204, work: 'direct' },
  ),
  deadLettersDiscard: deadLetters('admin', 'DELETE /v1/dead-letters/{id}', ['Discard a dead letter', gone], {
    params: input.sequenceParam,
    status: 204,
    work: 'direct',
  }),

  kinds: system('viewer', 'GET /v1/kinds', ['What kinds of monitors and channels there are, for forms', kindsView], {
    etag: true,
    conditional: 'if-none-match',
    description: 'It changes with the version of the gateway alone.',
  }),
  system: system('viewer', 'GET /v1/system', [
    'Every instance with its health, leases, queues, database and cache roles',
    systemView,
  ]),
  operationsGet: system('viewer', 'GET /v1/operations/{id}', ['What came of an accepted change', operationView], {
    params: z.strictObject({ id: operationName }),
    description: 'Shown to the token that asked for the change; to any other there is none.',
  }),
  changes: system('admin', 'GET /v1/changes', ['Who changed what, newest first', page(changeView)], {
    query: input.changesQuery,
    description:
      'Every change of a monitor, channel or token, what people did with incidents, and tests of channels; refused ones too. Kept for 400 days. Of the filters for a monitor, channel and incident, one at a time.',
  }),
  events: system('viewer', 'GET /v1/events', ['Live events (server-sent events)', eventView], {
    query: input.eventsQuery,
    work: 'stream',
    answerType: 'text/event-stream',
    description: 'Follows what happens. `Last-Event-ID` resumes after that event, whichever gateway answers.',
  }),

  heartbeat: heartbeats('anyone', 'POST /v1/heartbeats/{key}', ['It ran well', received], { ...heartbeat, ...message }),
  heartbeatGet: heartbeats('anyone', 'GET /v1/heartbeats/{key}', ['It ran well', received], heartbeat),
  heartbeatSignal: heartbeats(
    'anyone',
    'POST /v1/heartbeats/{key}/{signal}',
    ['It starts, it failed, or it ended with this exit code', received],
    { ...heartbeatSignal, ...message },
  ),
  heartbeatSignalGet: heartbeats(
    'anyone',
    'GET /v1/heartbeats/{key}/{signal}',
    ['It starts, it failed, or it ended with this exit code', received],
    heartbeatSignal,
  ),
} as const;
export type RouteName = keyof typeof routes;
