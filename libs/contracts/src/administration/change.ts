import { z } from 'zod';
import { epochMs, id } from '../schema/fields.ts';

const kind = z.enum(['monitor', 'channel', 'token', 'incident']);

/** What somebody did, or was refused. */
export const changeView = z.object({
  id,
  at: epochMs,
  operationId: z.string().optional(),
  token: z
    .object({ id, name: z.string() })
    .optional()
    .meta({ description: 'Whose token it was; absent for what Tocsin did itself' }),
  route: z
    .string()
    .optional()
    .meta({ description: 'How it was asked for', examples: ['PATCH /v1/monitors/{id}'] }),
  kind,
  resourceId: z.string().optional().meta({ description: 'Absent where something could not be created' }),
  revision: z.int().optional().meta({ description: 'The revision that it made' }),
  fields: z
    .array(z.string())
    .optional()
    .meta({ description: 'JSON Pointers of the fields that differ, at most 50; never their values' }),
  outcome: z.enum(['done', 'refused']),
  code: z.string().optional().meta({ description: 'Why it was refused' }),
});
export type ChangeView = z.infer<typeof changeView>;

/** What an owner is asked for: newest first, older ones than `before`. */
export const changesQuestion = z.strictObject({
  kind: kind.optional(),
  resourceId: id.optional(),
  tokenId: id.optional(),
  from: epochMs.optional(),
  to: epochMs.optional(),
  before: id.optional(),
  /** One more than a page holds, to know whether there is another. */
  limit: z.int().min(1).max(501),
});
