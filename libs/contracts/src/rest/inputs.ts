import { z } from 'zod';
import { outcome } from '../monitoring/check.ts';
import { id, limit, time } from '../schema/fields.ts';
import { stateName } from '../incidents/incident.ts';

/** Parameters of REST addresses. Everything in an address is text, so each is turned into its type here. */

export const byId = z.strictObject({ id });

const cursor = z.string().min(1).max(500).optional().meta({ description: '`next` of the page before' });
export const paging = z.strictObject({ cursor, limit });

const from = time.optional().meta({ description: 'Default: a day before `to`' });
const to = time.optional().meta({ description: 'Default: now' });

export const rangeQuery = z.strictObject({ from, to });
export const resultsQuery = z.strictObject({
  from,
  to,
  outcome: z
    .union([outcome.transform((one) => [one]), z.array(outcome).min(1).max(4)])
    .optional()
    .meta({ description: 'Only due windows that ended so; may be repeated: `outcome=missed&outcome=late`' }),
  cursor,
  limit,
});
export const rollupsQuery = z.strictObject({
  from,
  to,
  step: z.enum(['5m', '1h', '1d']).default('1h').meta({ description: 'How long one roll-up is' }),
});

export const statesQuery = z.strictObject({
  monitorId: z.union([id.transform((one) => [one]), z.array(id).min(1).max(100)]).optional(),
  state: stateName.optional(),
  cursor,
  limit,
});

export const sequenceParam = z.strictObject({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });
export const deadLettersQuery = z.strictObject({
  cursor: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  limit,
});

export const changesQuery = z.strictObject({
  monitorId: id.optional(),
  channelId: id.optional(),
  incidentId: id.optional(),
  tokenId: id.optional().meta({ description: 'Only what was done with this token' }),
  from: time.optional().meta({ description: 'Not before this' }),
  to: time.optional().meta({ description: 'Before this' }),
  cursor: id.optional().meta({ description: '`next` of the page before' }),
  limit,
});

const eventType = z.enum(['incident', 'state', 'monitor', 'notification']);
export const eventsQuery = z.strictObject({
  monitorId: id.optional(),
  type: z.union([eventType.transform((one) => [one]), z.array(eventType).min(1).max(4)]).optional(),
});

const key = z.string().min(1).max(64).meta({ description: 'The push key of the monitor' });
export const heartbeatParams = z.strictObject({ key });
export const heartbeatQuery = z.looseObject({
  rid: z
    .uuid()
    .transform((text) => text.toLowerCase())
    .optional()
    .meta({ description: 'The run that this is about: the same UUID with `/start` and with how it ended' }),
});
export const heartbeatSignalParams = z.strictObject({
  key,
  signal: z
    .string()
    .regex(/^(start|fail|\d{1,3})$/, { error: 'expected start, fail or an exit code from 0 to 255' })
    .refine((text) => !/^\d+$/.test(text) || Number(text) <= 255, { error: 'an exit code is at most 255' }),
});
