import { emailKind } from './email/email.ts';
import { webhookKind } from './webhook.ts';

/** Every kind of channel, one line each. */
export const channelKinds = {
  webhook: webhookKind,
  email: emailKind,
};

export type ChannelKind = keyof typeof channelKinds;
