import type { ConsumerSpec, MessagingContract, RequestSpec } from '@tocsin/messaging';
import { z } from 'zod';

const work = z.strictObject({ id: z.string(), ms: z.number() });

/** The messages of a service that exists for these tests. */
export const toyContract = {
  streams: [
    {
      name: 'TOY',
      subjects: ['toy.>'],
      retention: 'limits',
      storage: 'file',
      maxAgeMs: 60_000,
      maxBytes: 1_000_000,
      discard: 'old',
      duplicateWindowMs: 10_000,
    },
  ],
  buckets: [{ name: 'leases', history: 1, maxBytes: 1_000_000, storage: 'file' }],
  consumers: {
    toyWork: {
      durable: 'toy-work',
      stream: 'TOY',
      filters: ['toy.work.*'],
      schema: work,
      ackWaitMs: 5_000,
      maxDeliver: 3,
      backoffMs: [100],
      maxAckPending: 10,
    },
  },
  requests: {
    systemPing: {
      kind: 'request',
      subject: 'system.ping',
      input: z.strictObject({}),
      output: z.looseObject({ service: z.string(), instance: z.string(), ready: z.boolean() }),
      timeoutMs: 500,
    },
    toyVisit: {
      kind: 'request',
      subject: 'toy-visit',
      input: z.strictObject({ id: z.string() }),
      output: z.strictObject({ visited: z.boolean() }),
      timeoutMs: 2_000,
    },
    toyAsk: {
      kind: 'request',
      subject: 'toy-ask',
      input: z.strictObject({ fail: z.boolean() }),
      output: z.strictObject({ answer: z.number() }),
      timeoutMs: 1_000,
    },
  },
} satisfies MessagingContract & { consumers: Record<string, ConsumerSpec>; requests: Record<string, RequestSpec> };
