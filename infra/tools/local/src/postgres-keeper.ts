import { setTimeout as delay } from 'node:timers/promises';
import { cloneStandby } from './postgres-clone.ts';
import type { MemberStatus, PairMember } from './postgres-member.ts';
import type { PairState, PostgresName } from './postgres-pair-state.ts';
import type { Unprivileged } from './unprivileged.ts';

export interface KeeperOptions {
  members: ReadonlyMap<PostgresName, PairMember>;
  state: PairState;
  user: Unprivileged;
  changed: () => void;
  say: (line: string) => void;
}

const EVERY_MS = 500;
const ASK_MS = 1_000;
const LAST_ASK_MS = 250;
/** A primary that has said nothing for so long is replaced. */
const SILENCE_MS = 2_000;
/** A standby whose connection to the primary has been gone, or silent, for so long is waited for no longer. */
const ABSENCE_MS = 1_000;
const QUIET_MS = 2_500;
/** A standby that runs but has not followed for so long is copied anew; doubled each time that did not help. */
const LOST_MS = 15_000;
const LONGEST_LOST_MS = 240_000;
/** Commits begin to wait for a standby that is no further behind than this. */
const NEARLY_BYTES = 1_000_000;
const CATCH_UP_MS = 3_000;
const ORDER_MS = 10_000;

/**
 * Keeps one primary and one synchronous standby running: the only one that promotes, and one step at a time.
 * - The standby may be promoted only while `in-sync` stands on the disk. That is written after commits have begun to wait
 *   for it, and taken back before they cease to.
 * - A primary is killed for certain before another is made, and never started again as one after that.
 */
export class PostgresKeeper {
  private stopping = false;
  private wake: () => void = () => undefined;
  private loop: Promise<void> = Promise.resolve();
  private mending: Promise<void> | undefined;
  private absentSince: number | undefined;
  private lostMs = LOST_MS;
  private mendAt = 0;
  private reviveAt = 0;
  /** What went wrong last, for whoever waits in vain. */
  lastError: unknown;

  constructor(private readonly o: KeeperOptions) {}

  get primary(): PairMember {
    return this.member(this.o.state.primary);
  }

  get standby(): PairMember {
    return this.member(this.o.state.standby);
  }

  start(): void {
    this.loop = this.run();
  }

  /** Something has changed: look at once. */
  poke(): void {
    this.wake();
  }

  /** Ends its work; the servers stay as they are. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.loop;
    await this.mending;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.step();
      } catch (error) {
        this.complain(error);
      }
      if (!this.stopping) await this.pause(this.primary.silentMs > 0 ? EVERY_MS / 5 : EVERY_MS);
    }
  }

  /** Looks once, and does what follows from it. */
  private async step(): Promise<void> {
    const { primary } = this;
    if (!primary.server.alive) return await this.replacePrimary('ended');
    const left = SILENCE_MS - primary.silentMs;
    const status = await primary.status(Math.min(ASK_MS, Math.max(left, EVERY_MS / 2)));
    if (!primary.server.alive) return await this.replacePrimary('ended');
    if (primary.silentMs >= SILENCE_MS) return await this.replacePrimary('does not answer');
    if (status?.recovering) await this.promote();
    else if (status) await this.tendStandby(status);
  }

  /** The primary has gone: the standby takes its place if it has everything, else it must come back itself. */
  private async replacePrimary(why: string): Promise<void> {
    const { primary, standby } = this;
    const { state } = this.o;
    const [answer] = await Promise.all([
      standby.server.alive ? standby.status(ASK_MS) : undefined,
      // Once more, now that the standby is asked: it may be the keeper that was cut off, and is no more.
      primary.server.alive ? primary.status(LAST_ASK_MS) : undefined,
    ]);
    if (primary.server.alive && primary.silentMs === 0) return;
    if (state.use === 'in-sync' && answer?.recovering) {
      this.o.say(`${primary.name} ${why}; ${standby.name} takes over`);
      await primary.fence();
      state.save({ primary: standby.name, standby: 'stale' });
      this.absentSince = undefined;
      return await this.promote();
    }
    // Nobody answers, though both run: then it is the keeper that is cut off, and it had better do nothing.
    if (primary.server.alive && standby.server.alive && standby.silentMs > 0) {
      primary.silentMs = 0;
      return;
    }
    if (primary.held || performance.now() < this.reviveAt) return;
    const first = primary.server.process === undefined;
    if (!first) this.o.say(`${primary.name} ${why}, and no standby can take over; starting it again`);
    this.reviveAt = performance.now() + primary.backOff.next(0);
    await primary.start('as it was');
    this.o.changed();
  }

  private async promote(): Promise<void> {
    const startedAt = performance.now();
    const { primary } = this;
    const [row] = await primary.order(ORDER_MS, 'SELECT pg_promote(true, 8) AS promoted');
    if (row?.['promoted'] !== true) throw new Error(`${primary.name} could not be promoted within 8 s.`);
    this.o.say(`${primary.name} is the primary (promoted in ${Math.round(performance.now() - startedAt)} ms)`);
    this.o.changed();
  }

  private async tendStandby(status: MemberStatus): Promise<void> {
    const { state } = this.o;
    const { standby } = this;
    const { follower } = status;
    if (standby.server.alive && follower && follower.quietMs < QUIET_MS) {
      this.absentSince = undefined;
      const ready = state.use === 'behind' && !this.mending && follower.behindBytes < NEARLY_BYTES;
      if (ready) await this.beginToWait();
      return;
    }
    const now = performance.now();
    this.absentSince ??= now;
    const gone = !standby.server.alive || (follower && follower.quietMs >= QUIET_MS);
    if ((state.use === 'in-sync' || status.names !== '') && (gone || now - this.absentSince > ABSENCE_MS)) {
      await this.ceaseToWait();
    }
    if (state.use !== 'in-sync') this.mendStandby(now - this.absentSince);
  }

  /** From now on a commit is acknowledged only when the standby has it, and once it has all before, it may be promoted. */
  private async beginToWait(): Promise<void> {
    const { primary, standby } = this;
    const { state } = this.o;
    try {
      await this.setNames(`FIRST 1 ("${standby.name}")`);
      await this.untilFollower(async () => (await primary.status(ASK_MS))?.follower?.sync === true);
      // The process that makes commits wait is the one that writes checkpoints: once one is done it knows the names.
      const [row] = await primary.order(ORDER_MS, 'CHECKPOINT', 'SELECT pg_current_wal_flush_lsn() AS lsn');
      const caughtUp = `SELECT FROM pg_stat_replication WHERE application_name = '${standby.name}'
        AND state = 'streaming' AND sync_state = 'sync' AND flush_lsn >= '${String(row?.['lsn'])}'`;
      await this.untilFollower(async () => (await primary.order(ASK_MS, caughtUp)).length > 0);
    } catch (error) {
      await this.ceaseToWait();
      throw error;
    }
    state.save({ standby: 'in-sync' });
    this.lostMs = LOST_MS;
    this.o.say(`${standby.name} has all data of ${primary.name} and is kept so`);
    this.o.changed();
  }

  /** Writes go on without the standby, which from now on must not be promoted. */
  private async ceaseToWait(): Promise<void> {
    const { state } = this.o;
    if (state.use === 'in-sync') {
      state.save({ standby: 'behind' });
      this.o.say(`${this.standby.name} does not follow; ${this.primary.name} goes on without it`);
    }
    await this.setNames('');
    this.o.changed();
  }

  private async setNames(names: string): Promise<void> {
    const set = `ALTER SYSTEM SET synchronous_standby_names = '${names}'`;
    await this.primary.order(ASK_MS, set, 'SELECT pg_reload_conf()');
  }

  private async untilFollower(condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + CATCH_UP_MS;
    while (!(await condition())) {
      if (this.stopping || !this.standby.server.alive || performance.now() > deadline) {
        throw new Error(`${this.standby.name} did not catch up within ${CATCH_UP_MS} ms.`);
      }
      await delay(20);
    }
  }

  /** Starts the standby again, or copies it anew. Beside the steps, since it takes long; the standby is not in sync. */
  private mendStandby(absentMs: number): void {
    const { standby } = this;
    const { state } = this.o;
    if (this.mending || standby.held || this.stopping || performance.now() < this.mendAt) return;
    if (standby.server.alive) {
      if (absentMs < this.lostMs) return;
      this.lostMs = Math.min(this.lostMs * 2, LONGEST_LOST_MS);
      state.save({ standby: 'stale' });
    }
    this.mending = this.mend(standby)
      .catch((error: unknown) => {
        this.mendAt = performance.now() + standby.backOff.next(0);
        state.save({ standby: 'stale' });
        this.complain(error);
      })
      .finally(() => {
        this.mending = undefined;
        this.o.changed();
        this.wake();
      });
  }

  private async mend(standby: PairMember): Promise<void> {
    const { state, user } = this.o;
    const { primary } = this;
    if (state.use === 'stale') {
      const startedAt = performance.now();
      await standby.fence();
      await cloneStandby({ url: primary.url, from: primary.files, to: standby.files, user });
      state.save({ standby: 'behind' });
      this.o.say(`${standby.name} is a copy of ${primary.name} (${Math.round(performance.now() - startedAt)} ms)`);
    }
    await standby.start('standby');
    this.absentSince = undefined;
  }

  private async pause(ms: number): Promise<void> {
    const startedAt = performance.now();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => (clearTimeout(timer), resolve());
    });
    this.wake = () => undefined;
    // Until it answers again, the time between two questions is time of silence; no more of it than was meant to pass.
    this.primary.silentMs += Math.min(performance.now() - startedAt, ms);
  }

  private member(name: PostgresName): PairMember {
    const member = this.o.members.get(name);
    if (!member) throw new Error(`There is no server ${name}.`);
    return member;
  }

  private complain(error: unknown): void {
    this.lastError = error;
    if (!this.stopping) this.o.say(`PostgreSQL pair: ${error instanceof Error ? error.message : String(error)}`);
  }
}
