import { startTelemetry } from '@tocsin/telemetry';
import { contract } from '@tocsin/contracts';
import { runService } from '@tocsin/service';
import { schedulerConfig } from './scheduler.config.ts';
import { SchedulerModule } from './scheduler.module.ts';

startTelemetry('scheduler');
await runService({ name: 'scheduler', module: SchedulerModule, config: schedulerConfig, contract });
