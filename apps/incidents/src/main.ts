import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

await startTelemetry('incidents');
const [{ contract }, { runService }, { IncidentsModule }, { incidentsConfig }] = await Promise.all([
  import('@tocsin/contracts'),
  import('@tocsin/service'),
  import('./incidents.module.ts'),
  import('./incidents.config.ts'),
]);
await runService({
  name: 'incidents',
  module: IncidentsModule,
  config: incidentsConfig,
  contract,
  database: { migrations: new URL('../migrations/', import.meta.url) },
});
