import { locationName } from '@tocsin/contracts';
import { Sealing } from '@tocsin/core';
import {
  environment,
  openingKeys,
  requireAll,
  secretKeys,
  targetVariables,
  variable,
  wholeNumber,
} from '@tocsin/service';
import type { z } from 'zod';

const location = locationName.default('default');
const concurrency = wholeNumber({ min: 1, max: 5_000 }).default(200);

/** What `prober` reads from the environment, beside the platform's part. */
export const proberConfig = environment({
  /** Where this prober runs: it takes the tasks of this location. */
  location: variable('TOCSIN_LOCATION', location),
  /** How many checks run at the same time. */
  concurrency: variable('TOCSIN_CONCURRENCY', concurrency),
  /** Opens the secrets of monitors. */
  checksKeys: variable('TOCSIN_CHECKS_KEY', openingKeys.optional()),
  /** Opens those that an earlier version sealed. */
  secret: variable('TOCSIN_SECRET', secretKeys.optional()),
  targets: targetVariables,
})
  .superRefine((config, context) => {
    requireAll(context, { TOCSIN_CHECKS_KEY: config.checksKeys ?? config.secret });
  })
  .transform(({ checksKeys, secret, ...config }) => ({
    ...config,
    sealing: new Sealing({ privateKeys: checksKeys, secret }),
  }));
export type ProberConfig = z.infer<typeof proberConfig>;

/**
 * What must be known before the service is put together: which consumer it has and how wide its handler is. A bad
 * value counts as unset here: the service reads the same variables through {@link proberConfig}, and refuses to start.
 */
export function bootSettings(env: NodeJS.ProcessEnv): Pick<ProberConfig, 'location' | 'concurrency'> {
  return {
    location: location.safeParse(env['TOCSIN_LOCATION'] || undefined).data ?? location.parse(undefined),
    concurrency: concurrency.safeParse(env['TOCSIN_CONCURRENCY'] || undefined).data ?? concurrency.parse(undefined),
  };
}
