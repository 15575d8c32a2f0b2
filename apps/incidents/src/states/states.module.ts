import { Module } from '@nestjs/common';
import { TransitionsModule } from '../transitions/transitions.module.ts';
import { StatesStore } from './states.store.ts';

/** The record that folding, heartbeats, the sweep and the projection of the monitors write. */
@Module({ imports: [TransitionsModule], providers: [StatesStore], exports: [StatesStore] })
export class StatesModule {}
