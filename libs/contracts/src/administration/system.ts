import { z } from 'zod';
import { epochMs } from '../schema/fields.ts';

/** How one instance says that it is there, and how it is. */
export const instanceView = z.object({
  service: z.string(),
  instance: z.string(),
  version: z.string(),
  pid: z.int(),
  startedAt: epochMs,
  ready: z.boolean(),
  health: z.record(z.string(), z.object({ ok: z.boolean() }).loose()),
});
export type InstanceView = z.infer<typeof instanceView>;
