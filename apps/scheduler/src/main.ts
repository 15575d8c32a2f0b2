import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

// Before anything else is loaded: what measures or traces asks for its instruments while it loads.
await startTelemetry('scheduler');

const { contract } = await import('@tocsin/contracts');
const { runService } = await import('@tocsin/service');
const { schedulerConfig } = await import('./scheduler.config.ts');
const { SchedulerModule } = await import('./scheduler.module.ts');

await runService({ name: 'scheduler', module: SchedulerModule, config: schedulerConfig, contract });
