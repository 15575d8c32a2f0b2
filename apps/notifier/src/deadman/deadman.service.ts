import { Injectable, Logger } from '@nestjs/common';
import { type InstanceView, requests } from '@tocsin/contracts';
import { Messaging, type QueueDepth } from '@tocsin/messaging';
import { DeadmanCaller } from './deadman.caller.ts';
import { DeadmanStore, type DeadmanRecord } from './deadman.store.ts';
import { missingParts } from './system-health.rules.ts';

const GATHER_MS = 1_000;

/** The status of the dead man's call on the health page. */
export interface DeadmanStatus {
  ok: boolean;
  /** When it was called last, ms since the epoch. */
  lastCalledAt?: number;
  /** The parts that Tocsin lacks; while there are any, no call is made. */
  missing: string[];
}

/** Calls the address that raises the alarm when nobody calls it. It calls only while Tocsin is healthy: its silence is the alarm. */
@Injectable()
export class DeadmanService {
  private readonly logger = new Logger('DeadMansSwitch');
  private state: DeadmanStatus = { ok: true, missing: [] };
  private said = '';

  constructor(
    private readonly messaging: Messaging,
    private readonly store: DeadmanStore,
    private readonly caller: DeadmanCaller,
  ) {}

  get shown(): DeadmanStatus {
    return this.state;
  }

  /**
   * Looks at all of Tocsin and calls when it is healthy and a call is due.
   * @param mayCall asked right before a call
   * @returns in how many ms to look again. Never throws
   */
  async look(everyMs: number, mayCall: () => boolean): Promise<number> {
    const recorded = await this.store.look().catch(() => undefined);
    if (recorded && recorded.sinceMs < everyMs && recorded.missing.length === 0) {
      this.show(recorded);
      return everyMs - recorded.sinceMs;
    }
    const [instances, queues] = await Promise.all([this.gather(), this.queues()]);
    const missing = missingParts({ instances, queues, recordTakesWrites: recorded !== undefined });
    const wrong = missing.length > 0 ? undefined : await this.caller.call(mayCall);
    const parts = wrong === undefined ? missing : [`answer of its address (${wrong})`];
    const called = parts.length === 0;
    await this.store.found(parts, called).catch(() => undefined);
    const calledAt = called ? Date.now() : (recorded?.calledAt ?? this.state.lastCalledAt);
    this.show({ ...(calledAt === undefined ? {} : { calledAt }), missing: parts });
    return called ? everyMs : AGAIN_MS;
  }

  /** Shows what another instance, which holds the lease, has written. */
  async watch(): Promise<void> {
    this.show(await this.store.read());
  }

  /** Shows that this instance can neither look nor read. */
  lost(part: 'broker' | 'record'): void {
    this.show({
      ...(this.state.lastCalledAt === undefined ? {} : { calledAt: this.state.lastCalledAt }),
      missing: [part],
    });
  }

  private show({ calledAt, missing }: Omit<DeadmanRecord, 'sinceMs'>): void {
    this.state = { ok: missing.length === 0, missing, ...(calledAt === undefined ? {} : { lastCalledAt: calledAt }) };
    const now = missing.join('; ');
    if (now === this.said) return;
    this.said = now;
    if (now === '') this.logger.log('Tocsin is healthy: the switch is called');
    else this.logger.warn(`the switch is not called, which raises the alarm elsewhere. Missing: ${now}`);
  }

  private async gather(): Promise<InstanceView[] | undefined> {
    return this.messaging.gather(requests.systemPing, {}, { windowMs: GATHER_MS }).catch(() => undefined);
  }

  private async queues(): Promise<QueueDepth[] | undefined> {
    return this.messaging.queues().catch(() => undefined);
  }
}

/** A missing part may be back in a moment: a rolling restart must not silence the switch for a period. */
const AGAIN_MS = 2_000;
