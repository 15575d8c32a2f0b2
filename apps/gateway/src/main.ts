import 'reflect-metadata';
import { startTelemetry } from '@tocsin/telemetry';

await startTelemetry('gateway');

const { runService } = await import('@tocsin/service');
const { contract } = await import('@tocsin/contracts');
const { httpApplication } = await import('@tocsin/edge');
const { takePings } = await import('./heartbeats/ping-body.ts');
const { gatewayConfig } = await import('./gateway.config.ts');
const { GatewayModule } = await import('./gateway.module.ts');

await runService({
  name: 'gateway',
  module: GatewayModule,
  config: gatewayConfig,
  contract,
  cache: true,
  application: httpApplication(takePings),
});
