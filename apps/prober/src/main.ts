import './threads.ts';
import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

// Before anything else is loaded: what measures or traces asks for its instruments while it loads.
await startTelemetry('prober');

const { contract, proberTasks } = await import('@tocsin/contracts');
const { runService } = await import('@tocsin/service');
const { bootSettings, proberConfig } = await import('./prober.config.ts');
const { ProberModule } = await import('./prober.module.ts');

const { location } = bootSettings(process.env);
await runService({
  name: 'prober',
  module: ProberModule,
  config: proberConfig,
  contract: { ...contract, consumers: { ...contract.consumers, proberTasks: proberTasks(location) } },
});
