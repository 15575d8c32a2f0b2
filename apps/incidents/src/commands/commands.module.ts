import { Module } from '@nestjs/common';
import { TransitionsModule } from '../transitions/transitions.module.ts';
import { CommandsController } from './commands.controller.ts';
import { CommandsService } from './commands.service.ts';
import { IncidentStore } from './incident.store.ts';

/** Carries out what people do with incidents. */
@Module({
  imports: [TransitionsModule],
  controllers: [CommandsController],
  providers: [CommandsService, IncidentStore],
})
export class CommandsModule {}
