import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

// Before anything else is loaded: what measures or traces asks for its instruments while it loads.
await startTelemetry('status');

const { contract } = await import('@tocsin/contracts');
const { runService } = await import('@tocsin/service');
const { statusConfig } = await import('./status.config.ts');
const { StatusModule } = await import('./status.module.ts');

await runService({ name: 'status', module: StatusModule, config: statusConfig, contract, database: {}, cache: true });
