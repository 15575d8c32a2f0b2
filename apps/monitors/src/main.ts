import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

// Before anything else is loaded: what measures or traces asks for its instruments while it loads.
await startTelemetry('monitors');

const { contract } = await import('@tocsin/contracts');
const { runService } = await import('@tocsin/service');
const { monitorsConfig } = await import('./monitors.config.ts');
const { MonitorsModule } = await import('./monitors.module.ts');

await runService({
  name: 'monitors',
  module: MonitorsModule,
  config: monitorsConfig,
  contract,
  database: { migrations: new URL('../migrations/', import.meta.url) },
  cache: true,
});
