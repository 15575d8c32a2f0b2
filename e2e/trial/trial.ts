import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@tocsin/testing';
import type { Load } from './load/load.ts';
import { account } from './oracle/account.ts';
import type { Range } from './oracle/range.ts';
import { judge, promises, untimed } from './report/promises.ts';
import { emptyRow, type Row } from './report/row.ts';
import type { Scenario, Strike } from './scenario.ts';

/** After the last strike of a scenario, and still counted with it: what it delayed is not held against the next. */
const QUIET_MS = 6_000;
/** Between two strikes: what the first one took away is handed on within 3 s, and must not be struck twice. */
const BETWEEN_MS = 2_000;
/** Work goes on when so much of the usual rate of checks arrives, and less than a second of it waits. */
const USUAL = 0.8;
const GO_ON_WITHIN_MS = 60_000;
/** The sweep marks the last windows of a range as missed within this time. */
const ACCOUNT_AFTER_MS = 32_000;

/** What is struck. */
export interface Breakable {
  /** How many checks and results wait to be worked on. */
  backlog(): Promise<number>;
  /**
   * Undoes what a strike that did not end well has left behind.
   * @throws when not all becomes well within a bounded time
   */
  heal(): Promise<void>;
}

/** Sees something else from outside. */
export interface Watch {
  /** The longest time in a range in which nobody answered, in ms. */
  worstGapMs(range: Range): number;
}

/** Something under load that is broken again and again, and what that cost. */
export class Trial<Subject extends Breakable> {
  /** Whether times are judged; see `untimed`. */
  timed = true;

  constructor(
    readonly subject: Subject,
    private readonly load: Load,
    /** Of the address that moves from host to host, where there is one. */
    private readonly address?: Watch,
  ) {}

  /**
   * Strikes so many times, or for so long, and resolves when all is well again. The row is counted later, while the next
   * scenario runs.
   * @throws when what was struck does not become whole again
   */
  async run(
    scenario: Scenario<Subject>,
    often: { strikes: number } | { forMs: number },
  ): Promise<{ row: Promise<Row> }> {
    const range = { from: Date.now(), to: 0 };
    const struck: Strike[] = [];
    const goesOn = (n: number): boolean =>
      'strikes' in often ? n < Math.min(often.strikes, scenario.rounds ?? often.strikes) : Date.now() < range.from + often.forMs; // prettier-ignore
    let problem = await this.problemOf(() => this.workGoesOn());
    for (let n = 0; goesOn(n) && problem === undefined; n++) {
      problem = await this.problemOf(async () => {
        struck.push(await scenario.fault(this.subject, n));
        await this.workGoesOn();
        await delay(BETWEEN_MS);
      });
    }
    await delay(QUIET_MS);
    // The next range begins here: what happens between two scenarios belongs to one of them.
    range.to = Date.now();
    return { row: this.count(scenario, range, { struck, problem }) };
  }

  /** Why something did not end well, after which all is healed; undefined where it did. */
  private async problemOf(run: () => Promise<void>): Promise<string | undefined> {
    try {
      await run();
      return undefined;
    } catch (error) {
      await this.subject.heal();
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** What one strike has piled up must be gone before the next: two at once are another failure than is promised for. */
  private async workGoesOn(): Promise<void> {
    const { targets, rate } = this.load;
    const goOn = async (): Promise<boolean> => {
      const before = targets.hits;
      await delay(1_000);
      return targets.hits - before >= USUAL * rate && (await this.subject.backlog()) < rate;
    };
    await until(goOn, { timeoutMs: GO_ON_WITHIN_MS, what: 'checks at their usual rate, and no backlog' });
  }

  private async count(
    scenario: Scenario<Subject>,
    range: Range,
    { struck, problem }: { struck: Strike[]; problem: string | undefined },
  ): Promise<Row> {
    await delay(ACCOUNT_AFTER_MS);
    const found = await account(this.load, range, struck.map(({ at }) => at)); // prettier-ignore
    const kills = struck.reduce((sum, { victims }) => sum + victims.length, 0);
    const address = this.address && { address: { awayMs: this.address.worstGapMs(range) } };
    const row = { ...emptyRow(scenario.failure, scenario.how), ...found, ...address, kills };
    const bounds = promises(this.timed ? scenario.allowed : untimed(scenario.allowed));
    return { ...row, broken: [...(problem ? [problem] : []), ...judge(row, bounds)] };
  }
}
