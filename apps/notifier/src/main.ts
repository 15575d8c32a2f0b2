import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

await startTelemetry('notifier');

const { runService } = await import('@tocsin/service');
const { contract } = await import('@tocsin/contracts');
const { notifierConfig } = await import('./notifier.config.ts');
const { NotifierModule } = await import('./notifier.module.ts');

await runService({
  name: 'notifier',
  module: NotifierModule,
  config: notifierConfig,
  contract,
  database: { migrations: new URL('../migrations/', import.meta.url) },
});
