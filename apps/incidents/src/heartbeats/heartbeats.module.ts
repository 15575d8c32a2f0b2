import { Module } from '@nestjs/common';
import { StatesModule } from '../states/states.module.ts';
import { HeartbeatsController } from './heartbeats.controller.ts';
import { HeartbeatsService } from './heartbeats.service.ts';

/** Folds pings, and marks those that did not come. */
@Module({
  imports: [StatesModule],
  controllers: [HeartbeatsController],
  providers: [HeartbeatsService],
  exports: [HeartbeatsService],
})
export class HeartbeatsModule {}
