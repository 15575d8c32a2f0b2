import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop, systemClock } from '@tocsin/core';
import { type Lease, Leases } from '@tocsin/messaging';
import { CONFIG, Drain, Health } from '@tocsin/service';
import type { NotifierConfig } from '../notifier.config.ts';
import { DeadmanService } from './deadman.service.ts';

const LEASE = { name: 'notifier.deadman', ttlMs: 6_000 };
const ROUND_MS = 1_000;
const WATCH_MS = 5_000;

/** What the loop needs of the process that it runs in. */
@Injectable()
export class DeadmanPlatform {
  constructor(
    @Inject(CONFIG) readonly config: NotifierConfig,
    readonly health: Health,
    readonly drain: Drain,
  ) {}
}

/** Where an address is set, one instance at a time looks after the switch; the others show what that one wrote. */
@Injectable()
export class DeadmanLoop implements OnApplicationBootstrap {
  private readonly logger = new Logger('DeadMansSwitch');
  private lease: Lease | undefined;
  private lookAt = 0;
  private watchAt = 0;

  constructor(
    private readonly service: DeadmanService,
    private readonly leases: Leases,
    private readonly platform: DeadmanPlatform,
  ) {}

  onApplicationBootstrap(): void {
    const { config, health, drain } = this.platform;
    if (!config.deadman) return;
    health.add('deadMansSwitch', () => Promise.resolve({ ...this.service.shown }), { required: false });
    const loop = new Loop(
      ROUND_MS,
      () => this.round(),
      (error) => this.logger.error('the switch was not looked after', error),
    );
    // Not Periodic, which would wait for a look under way: that may take 15 s, and nothing depends on its end.
    drain.onStop('stop-taking', () => void loop.stop());
    drain.onStop('release', () => this.lease?.release());
    loop.nudge();
  }

  private async round(): Promise<void> {
    const { config, drain } = this.platform;
    if (drain.stopping) return;
    if (!(await this.isOurs(config.instance))) return;
    if (systemClock.monotonic() < this.lookAt) return;
    const inMs = await this.service.look(config.deadman?.everyMs ?? 0, () => this.mayCall());
    this.lookAt = systemClock.monotonic() + inMs;
  }

  private mayCall(): boolean {
    return this.lease?.isHeld() === true && !this.platform.drain.stopping;
  }

  /** Takes the lease where it is free. Its holder looks; the others show from time to time what the holder wrote. */
  private async isOurs(holder: string): Promise<boolean> {
    if (this.lease?.isHeld()) return true;
    try {
      this.lease = await this.leases.acquire(LEASE.name, { holder, ttlMs: LEASE.ttlMs });
    } catch {
      this.service.lost('broker');
      return false;
    }
    if (!this.lease) await this.watch();
    else this.lookAt = 0;
    return this.lease !== undefined;
  }

  private async watch(): Promise<void> {
    if (systemClock.monotonic() < this.watchAt) return;
    this.watchAt = systemClock.monotonic() + WATCH_MS;
    await this.service.watch().catch(() => this.service.lost('record'));
  }
}
