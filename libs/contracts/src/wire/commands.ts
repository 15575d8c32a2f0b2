import { z } from 'zod';
import { channel, channelSpec } from '../notifications/channel.ts';
import { notificationView } from '../notifications/notification.ts';
import { id } from '../schema/fields.ts';
import { acknowledgeSpec, incidentView, noteSpec } from '../incidents/incident.ts';
import { anyMonitor, monitorSpec } from '../monitoring/monitor.ts';
import type { ServiceName } from '../services.ts';
import { createdToken, tokenSpec } from '../administration/token.ts';

/** Writes: carried by JetStream to the owner, executed once per operation, answered to the caller's inbox. */
function command<S extends ServiceName, I extends z.ZodType, O extends z.ZodType>(
  service: S,
  name: string,
  input: I,
  output: O,
) {
  return { kind: 'command' as const, service, name, input, output };
}

const revision = z.int().min(1);
/** The revision that the caller saw (If-Match), or several of which one will do; absent: whatever is there. */
const ifRevision = z.union([revision, z.array(revision).min(2).max(100)]).optional();
export type IfRevision = z.infer<typeof ifRevision>;
const done = z.object({ id });

export const commands = {
  monitorsCreate: command('monitors', 'monitors-create', z.strictObject({ spec: monitorSpec }), anyMonitor),
  monitorsReplace: command(
    'monitors',
    'monitors-replace',
    z.strictObject({ id, ifRevision, spec: monitorSpec }),
    anyMonitor,
  ),
  /** A JSON Merge Patch (RFC 7396) of the specification, checked as a whole after it is applied. */
  monitorsPatch: command(
    'monitors',
    'monitors-patch',
    z.strictObject({ id, ifRevision, patch: z.record(z.string(), z.unknown()) }),
    anyMonitor,
  ),
  monitorsDelete: command('monitors', 'monitors-delete', z.strictObject({ id, ifRevision }), done),
  monitorsCheck: command('monitors', 'monitors-check', z.strictObject({ id }), done),
  channelsCreate: command('monitors', 'channels-create', z.strictObject({ spec: channelSpec }), channel),
  channelsReplace: command(
    'monitors',
    'channels-replace',
    z.strictObject({ id, ifRevision, spec: channelSpec }),
    channel,
  ),
  channelsDelete: command('monitors', 'channels-delete', z.strictObject({ id, ifRevision }), done),
  tokensCreate: command('monitors', 'tokens-create', z.strictObject({ spec: tokenSpec }), createdToken),
  tokensDelete: command('monitors', 'tokens-delete', z.strictObject({ id }), done),
  incidentsAcknowledge: command(
    'incidents',
    'incidents-acknowledge',
    z.strictObject({ id, ...acknowledgeSpec.shape }),
    incidentView,
  ),
  incidentsNote: command('incidents', 'incidents-note', z.strictObject({ id, ...noteSpec.shape }), incidentView),
  channelsTest: command('notifier', 'channels-test', z.strictObject({ channelId: id }), notificationView),
} as const;

/** A service that carries out commands. */
export type CommandOwner = (typeof commands)[keyof typeof commands]['service'];
