import { Injectable } from '@nestjs/common';
import type { Channel, ChannelSpec, IfRevision } from '@tocsin/contracts';
import { newId, TocsinError } from '@tocsin/core';
import { Operations, type Transaction } from '@tocsin/database';
import type { CommandContext } from '@tocsin/messaging';
import { channelChanged, tombstone } from '../config-events.ts';
import { Bounds } from '../bounds.ts';
import { changedFields } from '../changed-fields.ts';
import { keepTombstone, changeable } from '../record.ts';
import { Secrets } from '../secrets.ts';
import { keyOf } from './channels.reader.ts';
import { ChannelsStore } from './channels.store.ts';

/** How many of the monitors that use a channel its refused deletion names. */
const NAMED = 5;
const kind = 'channel' as const;

interface Change {
  id: string;
  ifRevision?: IfRevision;
}

/** Writes to channels: where alarms go. */
@Injectable()
export class ChannelsService {
  constructor(
    private readonly operations: Operations,
    private readonly channels: ChannelsStore,
    private readonly secrets: Secrets,
    private readonly bounds: Bounds,
  ) {}

  /** @throws TocsinError `invalid` with the fields; `conflict` at the bound on their number */
  create({ spec }: { spec: ChannelSpec }, ctx: CommandContext): Promise<Channel> {
    return this.operations.run(ctx, { kind }, async ({ tx, now, announce, note }) => {
      const sealed = this.secrets.settle(spec, undefined);
      await this.bounds.add(tx, 'channels');
      const channel: Channel = { id: newId(now), revision: 1, createdAt: now, updatedAt: now, spec: sealed };
      note({ id: channel.id, revision: channel.revision });
      await this.channels.insert(tx, channel);
      await announce([channelChanged(channel)]);
      return channel;
    });
  }

  /** @throws TocsinError `not_found`, `stale`, `invalid` with the fields */
  replace(input: Change & { spec: ChannelSpec }, ctx: CommandContext): Promise<Channel> {
    return this.operations.run(ctx, { kind, id: input.id }, async ({ tx, now, announce, forget, note }) => {
      forget(keyOf(input.id));
      const found = changeable(await this.channels.lock(tx, input.id), { what: 'channel', ...input });
      const spec = this.secrets.settle(input.spec, found.spec);
      const changed: Channel = { ...found, spec, revision: found.revision + 1, updatedAt: now };
      note({ revision: changed.revision, fields: changedFields(found.spec, spec) });
      await this.channels.update(tx, changed);
      await announce([channelChanged(changed)]);
      return changed;
    });
  }

  /** @throws TocsinError `not_found`; `stale`; `conflict`, naming them, while monitors use it */
  delete(input: Change, ctx: CommandContext): Promise<{ id: string }> {
    return this.operations.run(ctx, { kind, id: input.id }, async ({ tx, now, announce, forget, note }) => {
      forget(keyOf(input.id));
      const found = changeable(await this.channels.lock(tx, input.id), { what: 'channel', ...input });
      await this.refuseWhileUsed(tx, found.id);
      const last = { id: found.id, revision: found.revision + 1 };
      note({ revision: last.revision });
      await this.channels.delete(tx, found.id);
      await this.bounds.remove(tx, 'channels');
      await keepTombstone(tx, 'channels', { ...last, at: now });
      await announce([tombstone('channels', last)]);
      return { id: found.id };
    });
  }

  private async refuseWhileUsed(tx: Transaction, id: string): Promise<void> {
    const users = await this.channels.users(tx, id, NAMED + 1);
    if (users.length === 0) return;
    const names = users.slice(0, NAMED).map((user) => JSON.stringify(user.name));
    const list = users.length > NAMED ? `${names.join(', ')} and others` : names.join(', ');
    throw new TocsinError('conflict', `The channel is used by ${list}; take it out of them first.`, {
      details: { monitors: users.slice(0, NAMED) },
    });
  }
}
