import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

// Before anything else is loaded: what measures or traces asks for its instruments while it loads.
await startTelemetry('gateway');

const { contract } = await import('@tocsin/contracts');
const { httpApplication } = await import('@tocsin/edge');
const { runService } = await import('@tocsin/service');
const { gatewayConfig } = await import('./gateway.config.ts');
const { GatewayModule } = await import('./gateway.module.ts');
const { takePings } = await import('./heartbeats/ping-body.ts');

await runService({
  name: 'gateway',
  module: GatewayModule,
  config: gatewayConfig,
  contract,
  cache: true,
  application: httpApplication(takePings),
});
