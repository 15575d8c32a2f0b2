import { startTelemetry } from '@tocsin/telemetry';
import { contract, proberTasks } from '@tocsin/contracts';
import { runService } from '@tocsin/service';
import { bootSettings, proberConfig } from './prober.config.ts';
import { ProberModule } from './prober.module.ts';

startTelemetry('prober');
const { location } = bootSettings(process.env);
await runService({
  name: 'prober',
  module: ProberModule,
  config: proberConfig,
  contract: { ...contract, consumers: { ...contract.consumers, proberTasks: proberTasks(location) } },
});
