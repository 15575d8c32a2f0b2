import { Injectable } from '@nestjs/common';
import { pressConfirmations, silence } from '@tocsin/core';
import { FoldOutput } from '../states/fold-output.ts';
import { ConfirmationPublisher } from '../fold/confirmation-publisher.ts';
import { StatesStore } from '../states/states.store.ts';

const BATCH = 500;

/** States that somebody must look at although no result came. */
@Injectable()
export class StateSweep {
  constructor(
    private readonly store: StatesStore,
    private readonly confirmations: ConfirmationPublisher,
  ) {}

  /** Turns monitors without fresh results into unknown ones. */
  async silence(now: number, openSince: number): Promise<void> {
    await this.store.transaction(async (tx) => {
      const output = new FoldOutput();
      for (const held of await this.store.lockOverdue(tx, 'silent', now, BATCH)) {
        output.add(held, silence(held.monitor.rules, held.state, now, openSince));
      }
      await this.store.save(tx, output);
    });
  }

  /** Asks again for confirmations that nobody answered, or counts the failure without them. */
  async confirm(now: number, openSince: number): Promise<void> {
    const output = await this.store.transaction(async (tx) => {
      const found = new FoldOutput();
      for (const held of await this.store.lockOverdue(tx, 'confirmation', now, BATCH)) {
        found.add(held, pressConfirmations(held.monitor.rules, held.state, now, openSince));
        found.touch(held);
      }
      await this.store.save(tx, found);
      return found;
    });
    this.confirmations.publish(output.confirmations);
  }
}
