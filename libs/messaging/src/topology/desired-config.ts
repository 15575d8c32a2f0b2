import { createHash } from 'node:crypto';
import { DiscardPolicy } from '@nats-io/jetstream';
import {
  type BucketSpec,
  COMMANDS_STREAM,
  DEADLETTERS_STREAM,
  LEASES_BUCKET,
  type MessagingContract,
  type StreamSpec,
  SUSPECTS_BUCKET,
} from '../contract.ts';
import { withDefaults, type DesiredConfig } from './stream-settings.ts';

const NANOS = 1_000_000;
const DAY_MS = 86_400_000;

/** Streams that this library needs. A contract may declare them with its own bounds. */
const OWN_STREAMS: readonly StreamSpec[] = [
  {
    name: COMMANDS_STREAM,
    subjects: ['commands.>'],
    retention: 'workqueue',
    storage: 'file',
    maxAgeMs: DAY_MS,
    maxBytes: 256 * 1_048_576,
    discard: 'new',
    duplicateWindowMs: 600_000,
  },
  {
    name: DEADLETTERS_STREAM,
    subjects: ['deadletters.>'],
    retention: 'limits',
    storage: 'file',
    maxAgeMs: 30 * DAY_MS,
    maxBytes: 256 * 1_048_576,
    discard: 'old',
    duplicateWindowMs: 120_000,
  },
];

const OWN_BUCKETS: readonly BucketSpec[] = [
  { name: LEASES_BUCKET, history: 1, ttlMs: 60_000, maxBytes: 8 * 1_048_576, storage: 'file' },
  { name: SUSPECTS_BUCKET, history: 1, ttlMs: 3_600_000, maxBytes: 8 * 1_048_576, storage: 'file' },
];

/** Every stream of a contract, and those that this library needs. */
export function streamsOf(contract: MessagingContract): StreamSpec[] {
  return withOwn(contract.streams, OWN_STREAMS);
}

/** Every bucket of a contract, and those that this library needs. */
export function bucketsOf(contract: MessagingContract): BucketSpec[] {
  return withOwn(contract.buckets, OWN_BUCKETS);
}

/** A stream's desired configuration, without `retention` and `storage`, which nobody can change. */
export function desiredStream(spec: StreamSpec, replicas: number): DesiredConfig {
  return withDefaults({
    subjects: [...spec.subjects],
    max_age: spec.maxAgeMs * NANOS,
    max_bytes: spec.maxBytes,
    max_msgs_per_subject: spec.maxMessagesPerSubject ?? -1,
    discard: spec.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
    duplicate_window: spec.duplicateWindowMs * NANOS,
    num_replicas: replicas,
    allow_direct: true,
    allow_rollup_hdrs: false,
  });
}

/** The desired configuration of a bucket's stream. */
export function desiredBucket(spec: BucketSpec, replicas: number): DesiredConfig {
  return withDefaults({
    subjects: [`$KV.${spec.name}.>`],
    max_age: (spec.ttlMs ?? 0) * NANOS,
    max_bytes: spec.maxBytes,
    max_msgs_per_subject: spec.history,
    num_replicas: replicas,
    allow_direct: true,
    allow_rollup_hdrs: true,
  });
}

/** A fingerprint by which a stream shows which contract configured it. */
export function stampOf(desired: DesiredConfig): string {
  return createHash('sha256').update(JSON.stringify(desired)).digest('base64url').slice(0, 16);
}

function withOwn<T extends { name: string }>(declared: readonly T[], own: readonly T[]): T[] {
  const names = new Set(declared.map((spec) => spec.name));
  return [...declared, ...own.filter((spec) => !names.has(spec.name))];
}
