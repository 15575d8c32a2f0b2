import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

await startTelemetry('monitors');

const { runService } = await import('@tocsin/service');
const { contract } = await import('@tocsin/contracts');
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
