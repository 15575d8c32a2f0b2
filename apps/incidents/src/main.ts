import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

// Before anything else is loaded: what measures or traces asks for its instruments while it loads.
await startTelemetry('incidents');

const { contract } = await import('@tocsin/contracts');
const { runService } = await import('@tocsin/service');
const { incidentsConfig } = await import('./incidents.config.ts');
const { IncidentsModule } = await import('./incidents.module.ts');

await runService({
  name: 'incidents',
  module: IncidentsModule,
  config: incidentsConfig,
  contract,
  database: { migrations: new URL('../migrations/', import.meta.url) },
});
