import { z } from 'zod';
import { host } from '../../schema/fields.ts';
import { marked } from '../../schema/marks.ts';
import { ipFamily, minDaysLeft, paired, port, tls } from '../../schema/connection.ts';
import { probedKind } from './kind.ts';

const hexBytes = (max: number) =>
  z
    .string()
    .min(2)
    .max(max * 3)
    .regex(/^\s*(?:[0-9a-fA-F]{2}\s*)+$/, { error: 'expected bytes in hexadecimal, such as 00 ff 0d 0a' })
    .refine((value) => value.replace(/\s/g, '').length <= max * 2, { error: `must be at most ${max} bytes` });

export const tcpSettings = z.strictObject({
  host: host.meta({ description: 'The host to connect to' }),
  port,
  tls: paired(
    z.strictObject({
      ...tls,
      minDaysLeft: minDaysLeft
        .optional()
        .meta({ description: 'Degraded when the certificate, or one above it, ends in fewer days' }),
    }),
  )
    .optional()
    .meta({ description: 'Present: a TLS handshake follows the connection' }),
  send: marked('text', z.string().max(4096)).optional().meta({ description: 'Text to send once it is connected' }),
  sendHex: marked('text', hexBytes(4096))
    .optional()
    .meta({ title: 'Bytes to send', description: 'Bytes to send, in hexadecimal, in place of `send`' }),
  expect: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .meta({ title: 'Expected text', description: 'Text that must arrive within the timeout' }),
  expectHex: hexBytes(1000).optional().meta({
    title: 'Expected bytes',
    description: 'Bytes that must arrive within the timeout, in hexadecimal, in place of `expect`',
  }),
  ipFamily,
});
export type TcpSettings = z.infer<typeof tcpSettings>;

export const tcpKind = probedKind('tcp', {
  title: 'TCP',
  description: 'Connects to a port, and compares what it answers',
  settings: tcpSettings,
  leads: ['host', 'port', 'tls'],
  protects: ['tls'],
  examples: {
    'A port': { name: 'Mail', settings: { host: 'mail.example.com', port: 25, expect: '220' } },
  },
});
