import { startTelemetry } from '@tocsin/telemetry';

await startTelemetry('toy');
await (await import('./work.ts')).work();
