import { z } from 'zod';
import { epochMs, id } from '../schema/fields.ts';

export const notificationView = z.object({
  id,
  incidentId: id.optional(),
  monitorId: id.optional(),
  channelId: id,
  channelName: z.string(),
  kind: z.enum(['opened', 'acknowledged', 'resolved', 'reminder', 'test']),
  step: z.int().min(0),
  status: z.enum(['pending', 'sending', 'sent', 'failed', 'cancelled']),
  attempts: z.int().min(0),
  /** The receiver, without secrets: the host of a webhook, the addresses of a mail. */
  to: z.string(),
  answer: z.string().optional(),
  createdAt: epochMs,
  nextAttemptAt: epochMs.optional(),
  sentAt: epochMs.optional(),
});
export type NotificationView = z.infer<typeof notificationView>;

/** `events.notifications.<id>`: a notification was settled. */
export const notificationEvent = z.object({
  notificationId: id,
  incidentId: id.optional(),
  channelId: id,
  status: z.enum(['sent', 'failed']),
  at: epochMs,
});
export type NotificationEvent = z.infer<typeof notificationEvent>;
