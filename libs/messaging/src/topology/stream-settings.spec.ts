import type { StreamConfig } from '@nats-io/jetstream';
import { describe, expect, it } from 'vitest';
import { contract } from '../../test/harness.ts';
import { differencesOf } from './stream-settings.ts';
import { desiredStream, streamsOf } from './desired-config.ts';

const desired = desiredStream(streamsOf(contract)[0]!, 1);
const right = { ...desired } as unknown as StreamConfig;
const settings = (found: object, which: 'all' | 'forbidden') =>
  differencesOf({ ...right, ...found } as StreamConfig, desired, which).map(({ setting }) => setting);

describe('the comparison of a stream with the contract', () => {
  it('finds no difference when the broker reports an unset setting, or leaves it out', () => {
    expect(settings({}, 'all')).toEqual([]);
    expect(settings({ sources: [], no_ack: undefined }, 'all')).toEqual([]);
  });

  it.each([
    { republish: { src: '>', dest: 'commands.>' } },
    { sources: [{ name: 'OTHER' }] },
    { mirror: { name: 'OTHER' } },
    { subject_transform: { src: 'jobs.>', dest: 'commands.>' } },
  ])('finds a setting that no version has, in both modes: %j', (found) => {
    expect(settings(found, 'forbidden')).toEqual(Object.keys(found));
    expect(settings(found, 'all')).toEqual(Object.keys(found));
  });

  it.each([
    { subjects: ['jobs.>', 'commands.>'] },
    { max_age: 1 },
    { max_msgs: 1 },
    { no_ack: true },
    { allow_rollup_hdrs: true },
    { num_replicas: 3 },
  ])('finds a setting of another version only when it compares all: %j', (found) => {
    expect(settings(found, 'forbidden')).toEqual([]);
    expect(settings(found, 'all')).toEqual(Object.keys(found));
  });
});
