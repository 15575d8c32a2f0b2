import { Module } from '@nestjs/common';
import { StatesModule } from '../states/states.module.ts';
import { MonitorReader, MonitorReaderParts } from './monitor-reader.ts';
import { MonitorsController } from './monitors.controller.ts';
import { MonitorsService } from './monitors.service.ts';
import { MonitorsStore } from './monitors.store.ts';

/** Keeps the projection of the monitors and the spans of their grids. */
@Module({
  imports: [StatesModule],
  controllers: [MonitorsController],
  providers: [MonitorReader, MonitorReaderParts, MonitorsService, MonitorsStore],
})
export class MonitorsModule {}
