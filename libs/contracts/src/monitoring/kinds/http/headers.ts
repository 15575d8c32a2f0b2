import { isSealed } from '@tocsin/core';
import { z } from 'zod';
import { HIDDEN, longestSealed } from '../../../schema/fields.ts';
import { marked } from '../../../schema/marks.ts';
import { headerProblem } from './header.ts';

export const headerName = z
  .string()
  .max(128)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'not a header name (RFC 9110)' });

const LONGEST_HEADER = 4096;

const headerValue = z
  .string()
  .max(longestSealed(LONGEST_HEADER))
  .refine((value) => headerProblem(value) === undefined, { error: (issue) => headerProblem(String(issue.input)) })
  .refine((value) => isSealed(value) || value.length <= LONGEST_HEADER, {
    error: `must be at most ${LONGEST_HEADER} characters`,
  })
  .meta({ maxLength: LONGEST_HEADER });

const secretHeader = z.strictObject({ value: headerValue, secret: z.literal(true) }).meta({
  description: `A secret value, read back as ${HIDDEN}, which, sent again, keeps it. Authorization, Cookie and the like are secret without it`,
});

export const headers = marked(
  'headers',
  z
    .record(headerName, z.union([headerValue, secretHeader]))
    .refine((given) => Object.keys(given).length <= 50, { error: 'at most 50 headers' }),
);
