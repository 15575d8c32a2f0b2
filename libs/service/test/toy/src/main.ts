import { startTelemetry } from '@tocsin/telemetry';

await startTelemetry('toy');
const { runService } = await import('../../../src/index.ts');
const { ToyModule } = await import('./toy.module.ts');
const { toyContract } = await import('./toy.contract.ts');
const { z } = await import('zod');

await runService({
  name: 'toy',
  module: ToyModule,
  config: z
    .object({
      TOCSIN_TOY_SIZE: z.coerce.number().int().min(1).max(10).default(3),
      TOCSIN_TOY_TOKEN: z.string().min(8).optional(),
    })
    .transform((env) => ({ size: env.TOCSIN_TOY_SIZE, token: env.TOCSIN_TOY_TOKEN })),
  contract: toyContract,
  ...(process.env['TOCSIN_DATABASE_URL'] === undefined
    ? {}
    : { database: { schema: 'monitors', migrations: new URL('../migrations/', import.meta.url) } }),
  ...(process.env['TOCSIN_REDIS_URL'] === undefined ? {} : { cache: true }),
});
