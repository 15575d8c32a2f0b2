import type { z } from 'zod';
import { emailKind } from './email/email.ts';
import { webhookKind } from './webhook.ts';

/** Every kind of channel, one line each. */
export const channelKinds = {
  webhook: webhookKind,
  email: emailKind,
};

export type ChannelKind = keyof typeof channelKinds;
/** A channel of one kind. */
export type ChannelOf<K extends ChannelKind> = z.infer<(typeof channelKinds)[K]['spec']>;
