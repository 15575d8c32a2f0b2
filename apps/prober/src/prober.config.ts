import { locationName } from '@tocsin/contracts';
import { Sealing } from '@tocsin/core';
import { openingKeys, secretKeys, targetLists, targetsEnvironment } from '@tocsin/service';
import { z } from 'zod';

const location = locationName.default('default');
const concurrency = z
  .string()
  .regex(/^\d+$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.number().min(1).max(5_000))
  .default(200);

/** Settings of the prober, from the environment. */
export const proberConfig = z
  .object({
    /** Where this prober runs: it takes the tasks of this location. */
    TOCSIN_LOCATION: location,
    /** How many checks run at the same time. */
    TOCSIN_CONCURRENCY: concurrency,
    /** Opens the secrets of monitors. */
    TOCSIN_CHECKS_KEY: openingKeys.optional(),
    /** Opens those that an earlier version sealed. */
    TOCSIN_SECRET: secretKeys.optional(),
    ...targetsEnvironment,
  })
  .refine((env) => env.TOCSIN_CHECKS_KEY ?? env.TOCSIN_SECRET, { error: 'is missing', path: ['TOCSIN_CHECKS_KEY'] })
  .transform((env) => ({
    location: env.TOCSIN_LOCATION,
    concurrency: env.TOCSIN_CONCURRENCY,
    sealing: new Sealing({ privateKeys: env.TOCSIN_CHECKS_KEY, secret: env.TOCSIN_SECRET }),
    targets: targetLists(env),
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
