import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

await startTelemetry('status');
const [{ contract }, { runService }, { StatusModule }, { statusConfig }] = await Promise.all([
  import('@tocsin/contracts'),
  import('@tocsin/service'),
  import('./status.module.ts'),
  import('./status.config.ts'),
]);
await runService({ name: 'status', module: StatusModule, config: statusConfig, contract, database: {}, cache: true });
