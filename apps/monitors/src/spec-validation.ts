import { Injectable } from '@nestjs/common';
import { checkSettings } from '@tocsin/checks';
import type { MonitorSpec } from '@tocsin/contracts';
import type { Transaction } from '@tocsin/database';
import { ChannelsStore } from './channels/channels.store.ts';
import { refuse } from './fields.ts';
import { Secrets } from './secrets.ts';

/** Decides whether a monitor's specification may be stored. */
@Injectable()
export class SpecValidation {
  constructor(
    private readonly channels: ChannelsStore,
    private readonly secrets: Secrets,
  ) {}

  /**
   * The specification as it may be stored: its settings can be run, its channels are there to stay, its secrets sealed.
   * @param stored the one that it takes the place of, whose secrets it may keep
   * @throws TocsinError `invalid` with the fields
   */
  async validate(tx: Transaction, spec: MonitorSpec, stored?: MonitorSpec): Promise<MonitorSpec> {
    const faults = checkSettings(spec);
    const there = await this.channels.hold(tx, spec.channels);
    spec.channels.forEach((id, index) => {
      if (!there.has(id)) faults.push({ path: `/channels/${index}`, message: `there is no channel ${id}` });
    });
    if (faults.length > 0) refuse(faults, 'The monitor is not valid');
    return this.secrets.settle(spec, stored);
  }
}
