import { Module } from '@nestjs/common';
import { StatesModule } from '../states/states.module.ts';
import { ConfirmationPublisher } from './confirmation-publisher.ts';
import { FoldController } from './fold.controller.ts';
import { FoldService } from './fold.service.ts';

/** Folds the results of checks into states, history and incidents. */
@Module({
  imports: [StatesModule],
  controllers: [FoldController],
  providers: [ConfirmationPublisher, FoldService],
  exports: [ConfirmationPublisher],
})
export class FoldModule {}
