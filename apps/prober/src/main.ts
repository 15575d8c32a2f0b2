import './threads.ts';
import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

// Before anything else is loaded: what measures or traces asks for its instruments while it loads.
await startTelemetry('prober');

const { contract } = await import('@tocsin/contracts');
const { runService } = await import('@tocsin/service');
const { proberConfig } = await import('./prober.config.ts');
const { ProberModule } = await import('./prober.module.ts');

await runService({
  name: 'prober',
  module: ProberModule,
  config: proberConfig,
  contract,
});
