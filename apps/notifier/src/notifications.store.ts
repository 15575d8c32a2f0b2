import type { AnyChannelSpec, ChannelConfig, IncidentEvent } from '@tocsin/contracts';
import type { Queryable, Transaction } from '@tocsin/database';
import type { Notification } from './notification.ts';
import type { Plan, Settlement, Sibling } from './notification.rules.ts';

/** A channel as the record has it; without a specification it was deleted. */
export interface KnownChannel {
  id: string;
  spec?: AnyChannelSpec | undefined;
}

/** A notification to insert. */
export interface NewNotification extends Plan {
  channelName: string;
  to: string;
  trace: Record<string, string>;
  event?: IncidentEvent | undefined;
  /** The instance that sends it at once; absent: whoever finds it due. */
  claimedBy?: string | undefined;
}

/** A transition of an incident, and whom it is to be told. */
export type TransitionRef = Pick<IncidentEvent, 'incidentId' | 'transition' | 'channels'>;

/** Which channels are reminded of an incident, since which revision of its monitor. */
export type Reminded = NonNullable<IncidentEvent['reminded']>;

/** Whom a claim is for, and what it may take. */
export interface ClaimRequest {
  holder: string;
  /** Most notifications in all, and most of one channel. */
  limit: number;
  perChannel: number;
  /** What this instance is sending: never taken from itself, should its own claims have run out. */
  held: readonly string[];
  /** Channels that this instance is busy with. */
  busy: readonly string[];
  /** Claims that had run out by then, by the server's clock, are taken over; absent: none. */
  lapsedBy?: Date | undefined;
}

/** What is written about a channel when an attempt has been made. */
export interface Shown {
  channelName: string;
  to: string;
}

/** Where notifications and what they need are kept. */
export abstract class NotificationsStore {
  /** Others that change this incident's notifications wait until the transaction ends. */
  abstract lockIncident(tx: Transaction, incidentId: string): Promise<void>;
  abstract siblings(tx: Transaction, incidentId: string): Promise<Sibling[]>;
  /** Notes that nobody is reminded of the incident any more, and cancels the reminders that wait. */
  abstract silence(tx: Transaction, incidentId: string): Promise<void>;
  abstract isSilenced(tx: Transaction, incidentId: string): Promise<boolean>;
  /** Notes that only these channels are reminded of the incident from now on. */
  abstract remind(tx: Transaction, incidentId: string, reminded: Reminded): Promise<void>;
  /** Inserts those that do not exist yet, and returns them. */
  abstract insert(db: Queryable, notifications: readonly NewNotification[]): Promise<Notification[]>;
  /** Takes what is due, in one statement that two instances can run at once. */
  abstract claim(request: ClaimRequest): Promise<Notification[]>;
  /** Keeps claims from running out. */
  abstract renew(holder: string, ids: readonly string[]): Promise<void>;
  /** The time by the server's clock. */
  abstract now(): Promise<Date>;
  /**
   * Makes a claim good for its full time again.
   * @returns false when it was lost
   */
  abstract confirm(claimed: Notification, holder: string): Promise<boolean>;
  /** Gives a claim back as if it had never been: the attempt was not made. */
  abstract giveBack(claimed: Notification, holder: string, delayMs: number): Promise<void>;
  /**
   * Writes what an attempt came to. What was sent is written whoever holds the claim by now; the rest only by its holder.
   * @returns false when the claim was lost
   */
  abstract settle(
    tx: Transaction,
    claimed: Notification,
    as: { holder: string; settlement: Settlement; shown: Shown },
  ): Promise<boolean>;
  /** Makes due what waited for this notification to be settled. */
  abstract release(tx: Transaction, settled: Notification): Promise<void>;
  /** Those of which every channel has its notification, or was deleted. */
  abstract known(transitions: readonly TransitionRef[]): Promise<TransitionRef[]>;
  abstract find(id: string): Promise<Notification | undefined>;
  abstract channels(ids: readonly string[], db?: Queryable): Promise<Map<string, KnownChannel>>;
  abstract channelRevisions(ids: readonly string[]): Promise<Map<string, number>>;
  /** Keeps the newest revision of a channel. What waits for a deleted one is cancelled; for a changed one, tried at once. */
  abstract putChannel(config: ChannelConfig): Promise<void>;
  /** Forgets what is older than `days`, a bounded number at a time. */
  abstract tidy(days: number): Promise<void>;
}
