import { isSealedAddress } from '@tocsin/core';
import { z } from 'zod';
import { epochMs, id, line, longestSealed, secret } from '../schema/fields.ts';
import { mailAddress, mailbox } from './channels/email/mailbox.ts';
import { marked } from '../schema/marks.ts';
import { tolerant } from '../schema/tolerant.ts';

/** Certificates in PEM form, trusted in place of the usual ones. */
const ca = z.string().max(65_536).startsWith('-----BEGIN CERTIFICATE-----').optional();

const LONGEST_URL = 2048;

/** A webhook's address names and authorises at once, so it is a secret but for its origin. */
const webhookUrl = marked(
  'address',
  z
    .url({ protocol: /^(kept\+)?https?$/, error: 'expected an http:// or https:// URL' })
    .max(longestSealed(LONGEST_URL))
    .refine((url) => isSealedAddress(url) || url.length <= LONGEST_URL, {
      error: `must be at most ${LONGEST_URL} characters`,
    })
    .meta({
      maxLength: LONGEST_URL,
      description:
        'Read back without its path, query and credentials (`https://hooks.example.org/…`), which, sent again, keeps it',
    }),
);

export const webhookSettings = z.strictObject({
  url: webhookUrl,
  secret: secret(256).optional().meta({ description: 'Signs every delivery (HMAC-SHA-256). Write-only' }),
  tls: z.strictObject({ verify: z.boolean().default(true), ca }).optional(),
});
export type WebhookSettings = z.infer<typeof webhookSettings>;

export const emailSettings = z.strictObject({
  to: z.array(mailAddress).min(1).max(20),
  from: mailbox,
  smtp: z.strictObject({
    host: line(253),
    port: z.int().min(1).max(65_535),
    /** `tls`: from the first byte; `starttls`: upgraded, refused where not offered; `none`: plain. */
    security: z.enum(['tls', 'starttls', 'none']).default('starttls'),
    verify: z.boolean().default(true),
    tls: z.strictObject({ ca }).optional(),
    username: line(255).optional(),
    password: secret().optional(),
  }),
});
export type EmailSettings = z.infer<typeof emailSettings>;

/** What a person sends to create or replace a channel. Unknown fields are refused. */
export const channelSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('webhook'), name: line(120), settings: webhookSettings }),
  z.strictObject({ kind: z.literal('email'), name: line(120), settings: emailSettings }),
]);
export type ChannelSpec = z.infer<typeof channelSpec>;

const record = { id, revision: z.int().min(1), createdAt: epochMs, updatedAt: epochMs };

/** A channel as it is kept. */
export const channel = z.object({ ...record, spec: tolerant(channelSpec) });
export type Channel = z.infer<typeof channel>;

const ofAnyKind = tolerant(z.strictObject({ kind: z.string().min(1).max(64), name: line(120), settings: z.unknown() }));
/** A channel's specification as it was written, maybe by a later version. */
export type AnyChannelSpec = z.infer<typeof ofAnyKind>;

/** What this version can send to; undefined for a kind, or for settings, of a later one. */
export function channelSpecOf(spec: AnyChannelSpec): ChannelSpec | undefined {
  return tolerant(channelSpec).safeParse(spec).data;
}

/** What CONFIG carries per channel, as for monitors: of any kind, as a later version may have others. Secrets in it are sealed. */
export const channelConfig = z.union([
  z.object({ ...record, spec: ofAnyKind }),
  z.object({ id, revision: z.int().min(1), deleted: z.literal(true) }),
]);
export type ChannelConfig = z.infer<typeof channelConfig>;

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
