import { Module } from '@nestjs/common';
import { DeadmanCaller } from './deadman.caller.ts';
import { DeadmanLoop, DeadmanPlatform } from './deadman.loop.ts';
import { DeadmanService } from './deadman.service.ts';
import { DeadmanStore } from './deadman.store.ts';

/** Makes the dead man's call for as long as Tocsin is healthy. */
@Module({ providers: [DeadmanCaller, DeadmanLoop, DeadmanPlatform, DeadmanService, DeadmanStore] })
export class DeadmanModule {}
