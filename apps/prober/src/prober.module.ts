import { Module } from '@nestjs/common';
import { ProberController } from './prober.controller.ts';
import { ProberService } from './prober.service.ts';

@Module({ controllers: [ProberController], providers: [ProberService] })
export class ProberModule {}
