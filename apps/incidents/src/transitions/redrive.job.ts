import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { streams } from '@tocsin/contracts';
import { spread } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { CONFIG, Periodic } from '@tocsin/service';
import type { IncidentsConfig } from '../incidents.config.ts';
import { RedriveService } from './redrive.service.ts';

const NAME = 'transitions';

/** When transitions are driven again: in rounds of their own, so that a notifier that does not answer holds up no sweep. */
@Injectable()
export class RedriveJob implements OnApplicationBootstrap {
  constructor(
    private readonly redrive: RedriveService,
    private readonly messaging: Messaging,
    private readonly periodic: Periodic,
    @Inject(CONFIG) private readonly config: IncidentsConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.periodic.every(spread(this.config.sweepMs), NAME, () => this.redrive.run());
    this.messaging.onStreamRecreated((stream) => {
      if (stream === streams.events.name) this.periodic.once(NAME, () => this.redrive.runAtOnce());
    });
  }
}
