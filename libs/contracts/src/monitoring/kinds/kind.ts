import { z } from 'zod';
import { duration, id, line, locationName, tag, text } from '../../schema/fields.ts';
import type { Kind } from '../../schema/kind.ts';
import { tolerant } from '../../schema/tolerant.ts';

/** What code asks of a kind of monitor in place of its name. `GET /v1/kinds` tells forms the same. */
export const monitorTraits = z.object({
  hasGrid: z.boolean().meta({ description: 'It is checked at its `interval`: it has windows' }),
  hasLocations: z.boolean().meta({ description: 'Probers of its `locations` check it' }),
  hasKey: z.boolean().meta({ description: 'It waits for pings, which carry a key of its own' }),
});
export type MonitorTraits = z.infer<typeof monitorTraits>;

/** What a monitor of any kind has. */
export const common = {
  name: line(120),
  description: text(2000).default(''),
  tags: z.array(tag).max(20).default([]),
  channels: z.array(id).max(20).default([]),
  paused: z.boolean().default(false),
  failureThreshold: z.int().min(1).max(20).default(1).meta({ description: 'Windows in a row that must fail' }),
  recoveryThreshold: z.int().min(1).max(20).default(1).meta({ description: 'Windows in a row that must succeed' }),
  remindEvery: duration('1m', '30d').optional().meta({ description: 'Remind while the incident is open' }),
};

/** What a monitor has besides when probers check it. */
export const probed = {
  ...common,
  interval: duration('1s', '1d').default('1m'),
  timeout: duration('100ms', '5m').default('10s').meta({ description: 'For the whole check' }),
  confirm: z.boolean().default(true).meta({ description: 'A failure is first confirmed at once by another prober' }),
  locations: z.array(locationName).min(1).max(20).default(['default']),
  quorum: z.int().min(1).max(20).default(1).meta({ description: 'How many locations must agree that it is down' }),
};

/** A kind that probers check, window after window. */
export function probedKind<const K extends string, S extends z.ZodObject>(kind: K, about: Kind<S>) {
  const { settings } = about;
  return {
    ...about,
    traits: { hasGrid: true, hasLocations: true, hasKey: false } satisfies MonitorTraits,
    spec: z.strictObject({ kind: z.literal(kind), ...probed, settings }),
    /** What a prober reads of it. */
    target: z.object({ kind: z.literal(kind), settings: tolerant(settings) }),
  };
}

/** A kind that waits for the pings of a job. */
export function pingedKind<const K extends string, S extends z.ZodObject>(kind: K, about: Kind<S>) {
  return {
    ...about,
    traits: { hasGrid: false, hasLocations: false, hasKey: true } satisfies MonitorTraits,
    spec: z.strictObject({ kind: z.literal(kind), ...common, settings: about.settings }),
  };
}
