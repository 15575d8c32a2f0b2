import type { StreamConfig } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { contract } from '../../test/harness.ts';
import { driftOf } from './drift.ts';
import { streamsOf, wantedOfStream } from './wanted.ts';

const wanted = wantedOfStream(streamsOf(contract)[0]!, 1);
const right = { ...wanted } as unknown as StreamConfig;
const settings = (found: object, which: 'all' | 'alien') =>
  driftOf({ ...right, ...found } as StreamConfig, wanted, which).map(({ setting }) => setting);

describe('how a stream differs from the contract', () => {
  it('not at all, whether the broker says what is not set or leaves it out', () => {
    expect(settings({}, 'all')).toEqual([]);
    expect(settings({ sources: [], no_ack: undefined }, 'all')).toEqual([]);
  });

  it.each([
    { republish: { src: '>', dest: 'commands.>' } },
    { sources: [{ name: 'OTHER' }] },
    { mirror: { name: 'OTHER' } },
    { subject_transform: { src: 'jobs.>', dest: 'commands.>' } },
  ])('in a setting that no version has: %j', (found) => {
    expect(settings(found, 'alien')).toEqual(Object.keys(found));
    expect(settings(found, 'all')).toEqual(Object.keys(found));
  });

  it.each([
    { subjects: ['jobs.>', 'commands.>'] },
    { max_age: 1 },
    { max_msgs: 1 },
    { no_ack: true },
    { allow_rollup_hdrs: true },
    { num_replicas: 3 },
  ])('in a setting of a version: %j', (found) => {
    expect(settings(found, 'alien')).toEqual([]);
    expect(settings(found, 'all')).toEqual(Object.keys(found));
  });
});
