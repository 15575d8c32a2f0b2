import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Channel, mapSecrets, type Monitor } from '@tocsin/contracts';
import { isSealed, sealAnew, TocsinError } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { CONFIG, Drain } from '@tocsin/service';
import { channelAnnounced, monitorAnnounced } from './announcements.ts';
import { keyOf as keyOfChannel } from './channels/channels.reader.ts';
import { ChannelsStore } from './channels/channels.store.ts';
import type { MonitorsConfig } from './monitors.config.ts';
import { keyOf as keyOfMonitor } from './monitors/monitors.reader.ts';
import { MonitorsStore } from './monitors/monitors.store.ts';
import { Operations, type Work } from './operations.ts';

const PAGE = 200;
/** Until the next attempt, when the database was away. */
const AGAIN_MS = 5_000;

/**
 * Seals with the first key what one of the others has sealed, when the service starts with several: afterwards the others
 * can be taken away. Any number of instances may do it at once.
 */
@Injectable()
export class Resealer implements OnApplicationBootstrap {
  private readonly logger = new Logger('Resealer');
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly operations: Operations,
    private readonly monitors: MonitorsStore,
    private readonly channels: ChannelsStore,
    private readonly database: Database,
    private readonly drain: Drain,
    @Inject(CONFIG) private readonly config: MonitorsConfig,
  ) {}

  onApplicationBootstrap(): void {
    if (this.config.secret.length === 1) return;
    this.drain.onStop('stop-taking', async () => {
      clearTimeout(this.timer);
      await this.running;
    });
    this.begin();
  }

  private begin(): void {
    this.running = this.pass().catch((error: unknown) => {
      const expected = error instanceof TocsinError && error.retry;
      this.logger[expected ? 'warn' : 'error'](`not all secrets are sealed with the first key yet: ${String(error)}`);
      if (!this.drain.stopping) this.timer = setTimeout(() => this.begin(), AGAIN_MS);
    });
  }

  private async pass(): Promise<void> {
    const monitors = await this.each(
      (after) => this.monitors.list({ tags: [], after, limit: PAGE }, this.database),
      (id) => this.operations.apart((work) => this.resealMonitor(work, id)),
    );
    const channels = await this.each(
      (after) => this.channels.list({ after, limit: PAGE }, this.database),
      (id) => this.operations.apart((work) => this.resealChannel(work, id)),
    );
    if (this.drain.stopping) return;
    this.logger.log(
      `every secret is sealed with the first key: ${monitors} monitors and ${channels} channels were not`,
    );
  }

  /** Has every record resealed that needs it; @returns how many did. */
  private async each<T extends Monitor | Channel>(
    page: (after: string | undefined) => Promise<T[]>,
    reseal: (id: string) => Promise<boolean>,
  ): Promise<number> {
    let resealed = 0;
    let after: string | undefined;
    do {
      const records = await page(after);
      for (const { id, spec } of records) {
        if (this.drain.stopping) return resealed;
        if (this.isOld(spec, id) && (await reseal(id))) resealed += 1;
      }
      after = records.length === PAGE ? records.at(-1)?.id : undefined;
    } while (after !== undefined);
    return resealed;
  }

  private async resealMonitor({ tx, now, announce, forget }: Work, id: string): Promise<boolean> {
    const found = await this.monitors.lock(tx, id);
    if (!found || !this.isOld(found.spec, id)) return false;
    const changed: Monitor = { ...found, spec: this.anew(found.spec), revision: found.revision + 1, updatedAt: now };
    forget(keyOfMonitor(id));
    await this.monitors.update(tx, changed);
    await announce(monitorAnnounced(changed, 'updated'));
    return true;
  }

  private async resealChannel({ tx, now, announce, forget }: Work, id: string): Promise<boolean> {
    const found = await this.channels.lock(tx, id);
    if (!found || !this.isOld(found.spec, id)) return false;
    const changed: Channel = { ...found, spec: this.anew(found.spec), revision: found.revision + 1, updatedAt: now };
    forget(keyOfChannel(id));
    await this.channels.update(tx, changed);
    await announce([channelAnnounced(changed)]);
    return true;
  }

  private anew<T>(spec: T): T {
    return mapSecrets(spec, (value) => (isSealed(value) ? sealAnew(this.config.secret, value) : value));
  }

  /** Whether another key than the first one has sealed something in it. What none of them opens is left as it is. */
  private isOld(spec: unknown, id: string): boolean {
    let old = false;
    try {
      mapSecrets(spec, (value) => {
        if (isSealed(value)) old ||= sealAnew(this.config.secret, value) !== value;
        return value;
      });
      return old;
    } catch {
      this.logger.warn(`a secret of ${id} opens with none of the keys in TOCSIN_SECRET; it must be entered again`);
      return false;
    }
  }
}
