import { Module } from '@nestjs/common';
import { ProberController } from './prober.controller.ts';
import { ProberService } from './prober.service.ts';
import { Stalls } from './stalls.ts';

@Module({ controllers: [ProberController], providers: [ProberService, Stalls] })
export class ProberModule {}
