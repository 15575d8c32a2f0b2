import { z } from 'zod';
import { epochMs } from '../schema/fields.ts';
import { stateView } from '../incidents/incident.ts';
import { type AnyMonitor, monitor } from '../monitoring/monitor.ts';
import { instanceView } from '../administration/system.ts';
import { problem } from './problem.ts';

/** What REST answers where it is more than the record that travels inside. */

export const monitorView = z.object({
  ...monitor.shape,
  heartbeatKey: z.string().optional().meta({ description: 'Heartbeat monitors only, for editors: the push key' }),
  heartbeatUrl: z.string().optional().meta({ description: 'Where to send the heartbeats' }),
  nextTimes: z
    .array(epochMs)
    .max(5)
    .optional()
    .meta({
      description:
        'Heartbeats with a cron expression, one at a time: the next five times of the expression as it is read, so that a ' +
        'field in the wrong place is seen. Not in lists',
    }),
});
/** The kinds that this version documents, or another one of a later version. */
export type MonitorView = AnyMonitor & Omit<z.infer<typeof monitorView>, keyof AnyMonitor>;

export const monitorListItem = z.object({
  ...monitorView.shape,
  state: stateView.optional().meta({ description: 'Absent while the read side is away, or has not seen it yet' }),
});
export type MonitorListItem = MonitorView & Pick<z.infer<typeof monitorListItem>, 'state'>;

const HEX = '[0-9a-fA-F]';
/** Names an operation: where a key named it, with the beginning of the hash of the request that it is for. */
export const operationName = z
  .string()
  .regex(new RegExp(`^${HEX}{8}(-${HEX}{4}){3}-${HEX}{12}(\\.${HEX}{16})?$`), {
    error: 'expected the id of an operation',
  })
  .toLowerCase();

export const accepted = z
  .object({ operationId: operationName, status: z.literal('pending') })
  .meta({ description: 'It will be carried out; ask the operation at Location what came of it' });

export const operationView = z.object({
  id: operationName,
  status: z.enum(['pending', 'done', 'failed']),
  result: z.unknown().optional(),
  error: problem.optional(),
});
export type OperationView = z.infer<typeof operationView>;

/** A server as one instance's health check sees it. */
const role = z.object({
  service: z.string(),
  instance: z.string(),
  dependency: z.string(),
  ok: z.boolean(),
  role: z.string().optional(),
  latencyMs: z.number().optional(),
});

export const systemView = z.object({
  at: epochMs,
  instances: z.array(instanceView),
  leases: z.array(z.object({ name: z.string(), holder: z.string(), fence: z.int() })),
  queues: z.array(
    z.object({
      stream: z.string(),
      messages: z.number(),
      bytes: z.number(),
      maxBytes: z.number().meta({ description: 'The bound of the stream; -1 for none' }),
      consumers: z.array(
        z.object({ durable: z.string(), pending: z.number(), ackPending: z.number(), redelivered: z.number() }),
      ),
    }),
  ),
  databases: z.array(role).meta({ description: 'The database as each instance sees it' }),
  caches: z.array(role),
  unavailable: z.array(z.enum(['instances', 'leases', 'queues'])).meta({ description: 'What could not be read now' }),
});
export type SystemView = z.infer<typeof systemView>;

/** A message that could not be handled; `id` is its place in the dead letters. */
export const deadLetterView = z.object({
  id: z.int().min(1),
  stream: z.string(),
  durable: z.string(),
  subject: z.string(),
  originalSequence: z.int(),
  code: z.string(),
  reason: z.string(),
  message: z.string(),
  deliveries: z.int(),
  at: epochMs,
  headers: z.record(z.string(), z.string()).optional().meta({ description: 'Left out in lists, as the payload is' }),
  payload: z.string().optional(),
  encoding: z.enum(['utf8', 'base64']).optional(),
});

export const eventView = z.object({
  type: z.enum(['incident', 'state', 'monitor', 'notification']),
  data: z.unknown(),
});
