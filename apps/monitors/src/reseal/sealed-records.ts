import { Injectable } from '@nestjs/common';
import type { Channel, Monitor } from '@tocsin/contracts';
import { Operations, type Work } from '@tocsin/database';
import { channelChanged, monitorChanged } from '../config-events.ts';
import { keyOf as keyOfChannel } from '../channels/channels.reader.ts';
import { ChannelsStore } from '../channels/channels.store.ts';
import { keyOf as keyOfMonitor } from '../monitors/monitors.reader.ts';
import { MonitorsStore } from '../monitors/monitors.store.ts';
import { Secrets } from '../secrets.ts';

const PAGE = 200;

/** What came of all records. */
interface Resealed {
  /** How many were sealed anew. */
  resealed: number;
  /** The identifiers of those that hold a secret which no key opens. They are left as they are. */
  lost: string[];
}

/** The records that hold sealed secrets: monitors and channels. */
@Injectable()
export class SealedRecords {
  constructor(
    private readonly operations: Operations,
    private readonly monitors: MonitorsStore,
    private readonly channels: ChannelsStore,
    private readonly secrets: Secrets,
  ) {}

  /**
   * Seals with the first key what one of the others has sealed, page after page, each record on its own.
   * @throws TocsinError while the database is away; asked again, it goes on with what is left
   */
  async resealAll(signal: AbortSignal): Promise<Resealed> {
    const of: Resealed = { resealed: 0, lost: [] };
    await this.each(
      of,
      signal,
      ({ tx }, after) => this.monitors.list({ tags: [], after, limit: PAGE }, tx),
      (work, id) => this.resealMonitor(work, id),
    );
    await this.each(
      of,
      signal,
      ({ tx }, after) => this.channels.list({ after, limit: PAGE }, tx),
      (work, id) => this.resealChannel(work, id),
    );
    return of;
  }

  private async each(
    of: Resealed,
    signal: AbortSignal,
    page: (work: Work, after: string | undefined) => Promise<(Monitor | Channel)[]>,
    reseal: (work: Work, id: string) => Promise<boolean>,
  ): Promise<void> {
    let after: string | undefined;
    do {
      const records = await this.operations.runUnrecorded((work) => page(work, after));
      for (const { id, spec } of records) {
        if (signal.aborted) return;
        const age = this.secrets.ageOf(spec);
        if (age === 'lost') of.lost.push(id);
        if (age === 'old' && (await this.operations.runUnrecorded((work) => reseal(work, id)))) of.resealed += 1;
      }
      after = records.length === PAGE ? records.at(-1)?.id : undefined;
    } while (after !== undefined);
  }

  private async resealMonitor({ tx, now, announce, forget }: Work, id: string): Promise<boolean> {
    const found = await this.monitors.lock(tx, id);
    if (!found || this.secrets.ageOf(found.spec) !== 'old') return false;
    const spec = this.secrets.reseal(found.spec);
    const changed: Monitor = { ...found, spec, revision: found.revision + 1, updatedAt: now };
    forget(keyOfMonitor(id));
    await this.monitors.update(tx, changed);
    await announce(monitorChanged(changed, 'updated'));
    return true;
  }

  private async resealChannel({ tx, now, announce, forget }: Work, id: string): Promise<boolean> {
    const found = await this.channels.lock(tx, id);
    if (!found || this.secrets.ageOf(found.spec) !== 'old') return false;
    const spec = this.secrets.reseal(found.spec);
    const changed: Channel = { ...found, spec, revision: found.revision + 1, updatedAt: now };
    forget(keyOfChannel(id));
    await this.channels.update(tx, changed);
    await announce([channelChanged(changed)]);
    return true;
  }
}
