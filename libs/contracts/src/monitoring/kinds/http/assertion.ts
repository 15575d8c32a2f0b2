import { z } from 'zod';
import { duration } from '../../../schema/fields.ts';
import { minDaysLeft, severity } from '../../../schema/connection.ts';
import { headerName } from './headers.ts';

const pattern = z.string().min(1).max(1000).meta({ description: 'RE2 syntax: linear time, no look-around' });

export const assertion = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('header'),
    name: headerName,
    op: z.enum(['exists', 'absent', 'equals', 'contains', 'matches']),
    value: z.string().max(1000).optional(),
    severity,
  }),
  z.strictObject({
    type: z.literal('body'),
    op: z.enum(['equals', 'contains', 'not_contains', 'matches', 'not_matches']),
    value: pattern,
    severity,
  }),
  z.strictObject({
    type: z.literal('json'),
    path: z.string().min(1).max(500).meta({ description: 'JSONPath (RFC 9535), such as $.status' }),
    op: z.enum(['exists', 'absent', 'equals', 'not_equals', 'contains', 'matches', 'less', 'greater']),
    value: z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]).optional(),
    severity,
  }),
  z.strictObject({
    type: z.literal('response_time'),
    lessThan: duration('1ms', '5m'),
    severity: z.enum(['down', 'degraded']).default('degraded'),
  }),
  z.strictObject({
    type: z.literal('certificate'),
    minDaysLeft,
    severity: z.enum(['down', 'degraded']).default('degraded'),
  }),
]);
export type Assertion = z.infer<typeof assertion>;
