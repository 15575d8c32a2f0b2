import { Inject, Injectable } from '@nestjs/common';
import { type NotificationView, requests } from '@tocsin/contracts';
import { type Clock, idFrom, sleep, TocsinError } from '@tocsin/core';
import { type OperationRecord, Operations } from '@tocsin/database';
import { type CommandContext, Messaging } from '@tocsin/messaging';
import { CLOCK } from '@tocsin/service';
import { carryTrace } from '@tocsin/telemetry';
import { Senders } from '../channels/senders.ts';
import { NotificationSender } from '../notifications/notification-sender.ts';
import { type Notification, viewOf } from '../notifications/notification.ts';
import { type KnownChannel, NotificationsStore } from '../notifications/notifications.store.ts';

/** The recorded result of a test. */
interface StartedTest {
  notificationId: string;
}

/** An operation that is carried out again waits this long for the instance that carries it out already. */
const OTHERS_MS = 20_000;
const LOOK_MS = 50;
const ARRIVAL_MS = 2_000;

/** What a test is sent with. */
@Injectable()
export class ChannelTestParts {
  constructor(
    readonly senders: Senders,
    readonly sender: NotificationSender,
    readonly messaging: Messaging,
  ) {}
}

/** Sends tests of channels: once per operation, tried once, and answered with what the receiver said. */
@Injectable()
export class ChannelTestsService {
  constructor(
    private readonly operations: Operations,
    private readonly store: NotificationsStore,
    private readonly parts: ChannelTestParts,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws TocsinError `not_found`; `key_reused` */
  async test({ channelId }: { channelId: string }, ctx: CommandContext): Promise<NotificationView> {
    const { senders, sender } = this.parts;
    const channel = await this.channel(channelId);
    const spec = channel?.spec;
    let claimed: Notification | undefined;
    const since = this.clock.monotonic();
    const target = { kind: 'channel', id: channelId } as const;
    const { notificationId } = await this.operations.run<StartedTest>(ctx, target, async ({ tx }) => {
      if (!spec) throw new TocsinError('not_found', `There is no channel ${channelId}.`);
      const trace = carryTrace({});
      const id = idFrom(`test:${ctx.operationId}`);
      const shown = { channelName: spec.name, to: senders.to(spec) };
      const plan = { id, channelId, kind: 'test', step: 0, delayMs: 0 } as const;
      [claimed] = await this.store.insert(tx, [{ ...plan, ...shown, trace, claimedBy: sender.holder }]);
      return { notificationId: id };
    });
    if (claimed) await sender.send(claimed, channel, since);
    return viewOf(await this.settled(notificationId));
  }

  /** How a test ended; `unknown` until its notification is settled. */
  async find(operationId: string): Promise<OperationRecord> {
    const operation = await this.operations.find(operationId);
    if (operation.status !== 'done') return operation;
    const found = await this.store.find((operation.result as StartedTest).notificationId);
    const { requestHash } = operation;
    if (!found || !isSettled(found)) return { status: 'unknown', requestHash };
    return { status: 'done', result: viewOf(found), requestHash };
  }

  /** A channel that was made just now may not have arrived here yet: its owner knows whether there is one to wait for. */
  private async channel(id: string): Promise<KnownChannel | undefined> {
    const until = this.clock.monotonic() + ARRIVAL_MS;
    for (let asked = false; ; asked = true) {
      const found = (await this.store.channels([id])).get(id);
      if (found || this.clock.monotonic() > until) return found;
      if (!asked && !(await this.mayExist(id))) return undefined;
      await sleep(LOOK_MS);
    }
  }

  private async mayExist(id: string): Promise<boolean> {
    try {
      await this.parts.messaging.request(requests.channelsGet, { id });
      return true;
    } catch (error) {
      return !(error instanceof TocsinError && error.code === 'not_found');
    }
  }

  private async settled(id: string): Promise<Notification> {
    const until = this.clock.monotonic() + OTHERS_MS;
    for (;;) {
      const found = await this.store.find(id);
      if (found && isSettled(found)) return found;
      if (this.clock.monotonic() > until) throw new TocsinError('deadline', 'The test is still being sent; ask again.');
      await sleep(LOOK_MS);
    }
  }
}

function isSettled({ status }: Notification): boolean {
  return status !== 'pending' && status !== 'sending';
}
