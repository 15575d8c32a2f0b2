import { z } from 'zod';
import { ca, port } from '../../../schema/connection.ts';
import { line, secret } from '../../../schema/fields.ts';
import { channelKind } from '../kind.ts';
import { mailAddress, mailbox } from './mailbox.ts';

const emailSettings = z.strictObject({
  to: z.array(mailAddress).min(1).max(20).meta({ description: 'The recipients' }),
  from: mailbox.meta({ description: 'The sender' }),
  smtp: z
    .strictObject({
      host: line(253),
      port,
      security: z.enum(['tls', 'starttls', 'none']).default('starttls').meta({
        description: '`tls`: from the first byte; `starttls`: upgraded, refused where it is not offered; `none`: plain',
      }),
      verify: z.boolean().default(true),
      tls: z.strictObject({ ca }).optional(),
      username: line(255).optional(),
      password: secret().optional(),
    })
    .meta({ title: 'Mail server', description: 'The server that takes the mail' }),
});
export type EmailSettings = z.infer<typeof emailSettings>;

export const emailKind = channelKind('email', {
  title: 'E-mail',
  description: 'Sends a mail over SMTP',
  settings: emailSettings,
  traits: { repeats: 'key' },
  leads: ['smtp'],
  examples: {
    'E-mail': {
      name: 'On call',
      settings: {
        to: ['on-call@example.com'],
        from: 'tocsin@example.com',
        smtp: { host: 'mail.example.com', port: 587, security: 'starttls' },
      },
    },
  },
});
