import { Module } from '@nestjs/common';
import { Targets } from '@tocsin/service';
import { Checker } from './checker.ts';
import { ProberController } from './prober.controller.ts';
import { ProberService } from './prober.service.ts';
import { EventLoopStall } from './event-loop-stall.ts';

@Module({ controllers: [ProberController], providers: [Checker, ProberService, EventLoopStall, Targets] })
export class ProberModule {}
