import { isSealedAddress } from '@tocsin/core';
import { z } from 'zod';
import { ca } from '../../schema/connection.ts';
import { longestSealed, secret } from '../../schema/fields.ts';
import { marked } from '../../schema/marks.ts';
import { channelKind } from './kind.ts';

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
      title: 'URL',
      maxLength: LONGEST_URL,
      description:
        'Read back without its path, query and credentials (`https://hooks.example.org/…`), which, sent again, keeps it',
    }),
);

const webhookSettings = z.strictObject({
  url: webhookUrl,
  secret: secret(256).optional().meta({ description: 'Signs every delivery (HMAC-SHA-256). Write-only' }),
  tls: z
    .strictObject({ verify: z.boolean().default(true), ca })
    .optional()
    .meta({ description: 'How the receiver is trusted' }),
});

export const webhookKind = channelKind('webhook', {
  title: 'Webhook',
  description: 'Posts JSON to an address, signed where a secret is given',
  settings: webhookSettings,
  traits: { repeats: 'key' },
  leads: ['url', 'tls'],
  examples: { 'A webhook': { name: 'Chat', settings: { url: 'https://example.com/hook' } } },
});
