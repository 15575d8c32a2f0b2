import { z } from 'zod';
import { line, secret } from '../../../schema/fields.ts';
import { marked } from '../../../schema/marks.ts';
import { tightened } from '../../../schema/tolerant.ts';
import { ipFamily, paired, tls } from '../../../schema/connection.ts';
import { probedKind } from '../kind.ts';
import { assertion } from './assertion.ts';
import { basicProblem, credentialProblem } from './header.ts';
import { headers } from './headers.ts';

/** An answer with 1xx is not the last one. They were taken once, and are stored. */
const statusRange = tightened(
  z.string().regex(/^[2-5]\d\d(-[2-5]\d\d)?$/, {
    error:
      'expected a status code from 200 to 599, such as 204, or a range such as 200-299 (1xx is never the last answer)',
  }),
  z.string().regex(/^[1-5]\d\d(-[1-5]\d\d)?$/),
);

export const httpSettings = z.strictObject({
  url: marked(
    'query',
    z
      .url({ protocol: /^https?$/, error: 'expected an http:// or https:// URL' })
      .max(2048)
      .refine(hasNoCredentials, {
        error: 'put credentials into auth, not into the URL',
      })
      .meta({ title: 'URL', description: 'The address to ask for' }),
  ),
  method: z
    .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    .default('GET')
    .meta({ description: 'The method of the request' }),
  headers: headers
    .default({})
    .meta({ description: 'Headers of the request, besides those that the check sets itself' }),
  body: marked('text', z.string().max(65_536)).optional().meta({ description: 'The body of the request' }),
  auth: z
    .discriminatedUnion('type', [
      z.strictObject({
        type: z.literal('basic'),
        username: line(255, 0),
        password: secret(4096, { min: 0, problem: basicProblem }),
      }),
      z.strictObject({ type: z.literal('bearer'), token: secret(4096, { problem: credentialProblem }) }),
    ])
    .optional()
    .meta({ title: 'Authentication', description: 'The credentials of the request' }),
  redirects: z
    .strictObject({ follow: z.boolean().default(true), max: z.int().min(0).max(20).default(5) })
    .default({ follow: true, max: 5 })
    .meta({ description: 'Whether redirects are followed, and how many' }),
  acceptedStatus: z
    .array(statusRange)
    .min(1)
    .max(20)
    .default(['200-299'])
    .meta({ description: 'Status codes that are up: one, or a range' }),
  assertions: z.array(assertion).max(50).default([]).meta({ description: 'What the answer has to fulfil besides' }),
  tls: paired(z.strictObject(tls)).default({ verify: true }).meta({ description: 'How the check trusts the server' }),
  ipFamily,
  maxBodyBytes: z.int().min(0).max(10_485_760).default(1_048_576).meta({
    title: 'Longest body',
    description: 'Bytes; a longer body fails the check. 0: the body is not read, the check ends with the headers',
  }),
});
export type HttpSettings = z.infer<typeof httpSettings>;

export const httpKind = probedKind('http', {
  title: 'HTTP',
  description: 'Asks a web server for an address, and judges its answer',
  settings: httpSettings,
  leads: ['url', 'tls'],
  examples: {
    'A website': {
      name: 'Website',
      interval: '30s',
      settings: { url: 'https://example.com/', acceptedStatus: ['200-299'] },
    },
    'A website, in words that it must hold, and soon enough': {
      name: 'Website, in detail',
      interval: '1m',
      timeout: '5s',
      tags: ['shop'],
      settings: {
        url: 'https://example.com/',
        assertions: [
          { type: 'body', op: 'contains', value: 'Example Domain' },
          { type: 'response_time', lessThan: '2s' },
        ],
      },
    },
  },
});

function hasNoCredentials(url: string): boolean {
  try {
    const { username, password } = new URL(url);
    return username === '' && password === '';
  } catch {
    return true; // not a URL at all: the other rule says so
  }
}
