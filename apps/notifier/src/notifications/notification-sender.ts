import { Inject, Injectable, Logger } from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { type Clock, jitter, sleep, TocsinError } from '@tocsin/core';
import { CLOCK, CONFIG } from '@tocsin/service';
import { continueTrace, withSpan } from '@tocsin/telemetry';
import { Policies } from '../channels/policies.ts';
import { channelSpecOf } from '@tocsin/contracts';
import type { SendOutcome } from '../channels/sender.ts';
import { Senders } from '../channels/senders.ts';
import { countAttempt, inFlight } from '../notifier.metrics.ts';
import type { Notification } from './notification.ts';
import { settle, type Settlement } from './notification.rules.ts';
import type { NotifierConfig } from '../notifier.config.ts';
import { PROMPT_MS } from './notifications.sql.ts';
import type { KnownChannel } from './notifications.store.ts';
import { OutcomeWriter } from './outcome-writer.ts';

/** An instance of a later version gets the chance to take what only it can send after this long. */
const LATER_VERSION_MS = 1_000;
/** While the database is unreachable, the outcome is written again after this long. */
const SETTLE_RETRY_MS = 150;
const SETTLE_FOR_MS = 300_000;
/** A database that is slow each time must not keep an alarm back: after this many confirmations the claim counts as held. */
const MOST_CONFIRMED = 5;

/** No attempt was made; the next one may be made after `delayMs`. */
interface PutOff {
  result: 'put off';
  delayMs: number;
}

/** Sends claimed notifications: a bounded number at a time, and of one channel no more than its share. */
@Injectable()
export class NotificationSender {
  /** The name that this instance claims with. */
  readonly holder: string;
  private readonly sending = new Map<string, string>();
  private readonly policies: Policies;
  private readonly logger = new Logger('NotificationSender');
  private wake: () => void = () => undefined;

  constructor(
    private readonly senders: Senders,
    private readonly outcomes: OutcomeWriter,
    @Inject(CONFIG) private readonly config: NotifierConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.holder = config.instance;
    this.policies = new Policies(config.sendTimeoutMs);
  }

  /** How many more notifications may be claimed. */
  get room(): number {
    return this.config.sends - this.sending.size;
  }

  /** The most that is sent to one channel at a time. */
  get perChannel(): number {
    return this.config.sendsPerChannel;
  }

  hasRoom(channelId: string): boolean {
    return this.room > 0 && !this.busy().includes(channelId);
  }

  /** Channels that have their share of what is being sent. */
  busy(): string[] {
    const counts = new Map<string, number>();
    for (const channelId of this.sending.values()) counts.set(channelId, (counts.get(channelId) ?? 0) + 1);
    return [...counts].filter(([, count]) => count >= this.perChannel).map(([channelId]) => channelId);
  }

  /** The claims to keep. */
  get held(): string[] {
    return [...this.sending.keys()];
  }

  /** What `since` of a claim that is asked for now is. */
  monotonic(): number {
    return this.clock.monotonic();
  }

  /** Calls `fn` when a notification may be due. */
  onNudge(fn: () => void): void {
    this.wake = fn;
  }

  nudge(): void {
    this.wake();
  }

  /**
   * Makes one attempt of a claimed notification and writes its outcome. Never throws.
   * @param since when the claim was asked for (monotonic ms): one that was long on its way may have run out
   */
  async send(claimed: Notification, channel: KnownChannel | undefined, since: number): Promise<void> {
    this.sending.set(claimed.id, claimed.channelId);
    inFlight.add(1);
    try {
      await continueTrace(claimed.trace, () =>
        withSpan(
          `notify ${claimed.kind}`,
          { kind: SpanKind.PRODUCER, attributes: attributesOf(claimed) },
          async (span) => {
            if (!(await this.isHeld(claimed, since))) return span.setAttribute('tocsin.outcome', 'claim lost');
            const outcome = await this.attempt(claimed, channel);
            span.setAttribute('tocsin.outcome', outcome.result);
            await this.finish(claimed, channel, outcome);
          },
        ),
      );
    } catch (error) {
      // The claim runs out, and another instance tries again.
      this.logger.error(`notification ${claimed.id} was not settled: ${String(error)}`);
    } finally {
      this.sending.delete(claimed.id);
      inFlight.add(-1);
      this.nudge();
    }
  }

  /** Whether the claim is still ours, by an answer that came promptly. */
  private async isHeld(claimed: Notification, since: number): Promise<boolean> {
    let asked = since;
    for (let nth = 0; this.clock.monotonic() - asked > PROMPT_MS && nth < MOST_CONFIRMED; nth++) {
      asked = this.clock.monotonic();
      if (!(await this.outcomes.confirm(claimed, this.holder))) return false;
    }
    return true;
  }

  private async attempt(claimed: Notification, channel: KnownChannel | undefined): Promise<SendOutcome | PutOff> {
    if (!channel) return { result: 'retry', answer: 'the configuration of this channel has not arrived yet' };
    const { spec } = channel;
    if (!spec) return { result: 'refused', answer: 'the channel was deleted' };
    const readable = channelSpecOf(spec);
    if (!readable) return this.forLaterVersion(claimed);
    const named = { ...claimed, channelName: nameFor(claimed, spec.name) };
    const send = (signal: AbortSignal): Promise<SendOutcome> => this.senders.send(readable, named, signal);
    // A person waits for the answer to a test, so it is made whatever the breaker says.
    if (claimed.kind === 'test') return send(AbortSignal.timeout(this.config.sendTimeoutMs));
    const outcome = await this.policies.attempt(claimed.channelId, send);
    return outcome ?? { result: 'put off', delayMs: this.policies.pauseMs };
  }

  /** In an upgrade an instance of the later version takes it; where none comes, it ends with its time. */
  private forLaterVersion({ kind, createdAt }: Notification): SendOutcome | PutOff {
    if (kind !== 'test' && this.clock.now() - createdAt < this.config.retry.forMs) {
      return { result: 'put off', delayMs: LATER_VERSION_MS };
    }
    return {
      result: 'refused',
      answer: 'a later version has to send to a channel of this kind, or with these settings',
    };
  }

  private async finish(
    claimed: Notification,
    channel: KnownChannel | undefined,
    outcome: SendOutcome | PutOff,
  ): Promise<void> {
    if (outcome.result === 'put off') {
      await this.untilWritten(() => this.outcomes.giveBack(claimed, this.holder, jitter(outcome.delayMs)));
      return countAttempt(claimed, 'put_off');
    }
    const now = this.clock.now();
    const settlement = settle(claimed, outcome, this.config.retry, now);
    const spec = channel?.spec;
    const shown = spec
      ? { channelName: nameFor(claimed, spec.name), to: this.senders.to(spec) }
      : { channelName: claimed.channelName, to: claimed.to };
    await this.untilWritten(() => this.outcomes.settle(claimed, { holder: this.holder, settlement, shown }));
    countAttempt(claimed, nameOf(settlement), spec?.kind, now);
    if (settlement.status !== 'sent') {
      this.logger.warn(
        `notification ${claimed.id} (${claimed.kind}) to ${shown.to}: ${settlement.status}; ${settlement.answer}`,
      );
    }
  }

  /** A notification must not be sent again because the database was unreachable when its outcome was to be written. */
  private async untilWritten(write: () => Promise<void>): Promise<void> {
    const until = this.clock.monotonic() + SETTLE_FOR_MS;
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!(error instanceof TocsinError && error.retry) || this.clock.monotonic() > until) throw error;
        await sleep(jitter(SETTLE_RETRY_MS));
      }
    }
  }
}

/** The channel's name when the notification was made, so that every attempt says the same. */
function nameFor(claimed: Notification, present: string): string {
  return claimed.channelName === '' ? present : claimed.channelName;
}

function nameOf(settlement: Settlement): string {
  return settlement.status === 'pending' ? 'retry' : settlement.status;
}

function attributesOf({ id, kind, channelId, attempts, incidentId }: Notification): Record<string, string | number> {
  return {
    'tocsin.notification': id,
    'tocsin.kind': kind,
    'tocsin.channel': channelId,
    'tocsin.attempt': attempts,
    ...(incidentId === undefined ? {} : { 'tocsin.incident': incidentId }),
  };
}
