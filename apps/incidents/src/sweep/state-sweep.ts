import { Injectable } from '@nestjs/common';
import { pressConfirmations, silence } from '@tocsin/core';
import { Effects } from '../effects.ts';
import { ConfirmationAsker } from '../fold/confirmation-asker.ts';
import { IncidentsStore } from '../incidents.store.ts';

const BATCH = 500;

/** States that somebody must look at although no result came. */
@Injectable()
export class StateSweep {
  constructor(
    private readonly store: IncidentsStore,
    private readonly asker: ConfirmationAsker,
  ) {}

  /** Turns monitors without fresh results into unknown ones. */
  async silence(now: number, openSince: number): Promise<void> {
    await this.store.transaction(async (tx) => {
      const effects = new Effects();
      for (const held of await this.store.lockOverdue(tx, 'silent', now, BATCH)) {
        effects.add(held, silence(held.monitor.rules, held.state, now, openSince));
      }
      await this.store.save(tx, effects);
    });
  }

  /** Asks again for confirmations that nobody answered, or counts the failure without them. */
  async confirm(now: number, openSince: number): Promise<void> {
    const effects = await this.store.transaction(async (tx) => {
      const found = new Effects();
      for (const held of await this.store.lockOverdue(tx, 'confirmation', now, BATCH)) {
        found.add(held, pressConfirmations(held.monitor.rules, held.state, now, openSince));
        found.touch(held);
      }
      await this.store.save(tx, found);
      return found;
    });
    this.asker.ask(effects.confirmations);
  }
}
