import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

// Before anything else is loaded: what measures or traces asks for its instruments while it loads.
await startTelemetry('notifier');

const { contract } = await import('@tocsin/contracts');
const { runService } = await import('@tocsin/service');
const { notifierConfig } = await import('./notifier.config.ts');
const { NotifierModule } = await import('./notifier.module.ts');

await runService({
  name: 'notifier',
  module: NotifierModule,
  config: notifierConfig,
  contract,
  database: { migrations: new URL('../migrations/', import.meta.url) },
});
