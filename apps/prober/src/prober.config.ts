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

/** What `prober` reads from the environment, beside the platform's part. */
export const proberConfig = environment({
  /** Where this prober runs: it takes the tasks of this location. */
  location: variable('TOCSIN_LOCATION', locationName.default('default')),
  /** How many checks run at the same time. */
  concurrency: variable('TOCSIN_CONCURRENCY', wholeNumber({ min: 1, max: 5_000 }).default(200)),
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
