import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type MonitorConfig, monitorConfig, newerThan, revisedOf, streams } from '@tocsin/contracts';
import { TocsinError } from '@tocsin/core';
import { Database } from '@tocsin/database';
import { HandBack, Messaging } from '@tocsin/messaging';
import { Drain } from '@tocsin/service';
import { MonitorsService } from './monitors.service.ts';
import { MonitorsStore } from './monitors.store.ts';

/** What the reader works with. */
@Injectable()
export class MonitorReaderParts {
  constructor(
    readonly messaging: Messaging,
    readonly database: Database,
    readonly drain: Drain,
  ) {}
}

/**
 * Reads what CONFIG says of the monitors at the start, and from time to time: an instance of an earlier version may have
 * taken a message that it could not read, and nobody is given that a second time.
 */
@Injectable()
export class MonitorReader implements OnApplicationBootstrap {
  private readonly logger = new Logger('MonitorReader');

  constructor(
    private readonly monitors: MonitorsService,
    private readonly store: MonitorsStore,
    private readonly parts: MonitorReaderParts,
  ) {}

  onApplicationBootstrap(): void {
    const o = { stream: streams.config.name, filters: ['config.monitors.>'] };
    const reading = this.parts.messaging.pollLastPerSubject(o, (payloads) => this.take(payloads));
    this.parts.drain.onStop('stop-taking', () => reading.stop());
  }

  private async take(payloads: unknown[]): Promise<void> {
    const all = revisedOf(payloads);
    const ids = all.map(({ id }) => id);
    const known = await this.store.revisions(this.parts.database, ids);
    // What is gone and is not known was forgotten.
    const wanted = newerThan(all, known).filter(({ id, deleted }) => deleted === undefined || known.has(id));
    const configs = wanted.flatMap((one) => {
      const { data, error } = monitorConfig.safeParse(one);
      if (error) this.logger.warn(`monitor ${one.id} is for a later version to read: ${error.message}`);
      return data ?? [];
    });
    if (configs.length > 0) await this.apply(configs);
  }

  /** One that fails does not keep the others back. */
  private async apply(configs: readonly MonitorConfig[]): Promise<void> {
    try {
      await this.monitors.apply(configs);
    } catch (error) {
      // All else is applied; of this, a later version says what is expected.
      if (error instanceof HandBack) return;
      if (error instanceof TocsinError && error.retry) throw error;
      if (configs.length > 1) for (const one of configs) await this.apply([one]);
      else this.logger.error(`monitor ${configs[0]?.id} could not be applied: ${String(error)}`);
    }
  }
}
