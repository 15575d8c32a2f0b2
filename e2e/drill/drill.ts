import { cpSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '@tocsin/local';
import { startTocsin, until } from '@tocsin/testing';
import { Collector } from './faults/collector.ts';
import type { Strike } from './faults/fault.ts';
import { Releases } from './faults/releases.ts';
import { Load } from './load/load.ts';
import { account } from './oracle/account.ts';
import { judge, promises, untimed } from './report/promises.ts';
import { emptyRow, type Row } from './report/row.ts';
import { type Scenario, scenarios, SERVICES } from './scenarios.ts';
import { Stack } from './stack.ts';

/** After the last strike of a scenario, and still counted with it: what it delayed is not held against the next. */
const QUIET_MS = 6_000;
/** Between two strikes: what the first one took away is handed on within 3 s, and must not be struck twice. */
const BETWEEN_MS = 2_000;
/** Work goes on when so much of the usual rate of checks arrives, and less than a second of it waits. */
const USUAL = 0.8;
const GO_ON_WITHIN_MS = 60_000;
/** The sweep marks the last windows of a range as missed within this time. */
const ACCOUNT_AFTER_MS = 32_000;
const WARM_UP_MS = 15_000;

/** A running Tocsin under load that is broken again and again, and what it cost. */
export class Drill {
  private constructor(
    readonly stack: Stack,
    private readonly load: Load,
    private readonly collector: Collector,
    private readonly releases: Releases,
  ) {}

  /** Whether times are judged; see `untimed`. */
  timed = true;

  /** Starts everything and puts it under load; resolves when every monitor has been checked on its grid for a while. */
  static async start(rate: number): Promise<Drill> {
    const releases = Releases.of(join(projectRoot, 'dist/apps'), SERVICES);
    const collector = await Collector.start();
    const tocsin = await startTocsin({
      cluster: true,
      drill: true,
      appsDir: releases.current,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
    }).catch(async (error: unknown) => {
      await collector.stop();
      releases.remove();
      throw error;
    });
    const stack = new Stack(tocsin);
    await stack.whole();
    const load = await Load.start(tocsin, rate);
    await delay(WARM_UP_MS);
    return new Drill(stack, load, collector, releases);
  }

  /** Every scenario: those of the table, and those whose parts the drill itself makes. */
  get scenarios(): readonly Scenario[] {
    return [
      ...scenarios,
      {
        name: 'rolling-upgrade',
        failure: 'a rolling upgrade of every service, across a schema migration (expand, then contract)',
        how: 'restarted',
        fault: this.releases.fault,
        apart: true,
        rounds: 2,
      },
      {
        name: 'collector',
        failure: 'the tracing back end',
        how: 'stopped',
        fault: this.collector.fault,
        apart: true,
      },
    ];
  }

  /**
   * Strikes so many times, or for so long, and resolves when all is well again. The row is counted later, while the next
   * scenario runs.
   * @throws when Tocsin does not become whole again
   */
  async run(scenario: Scenario, often: { strikes: number } | { forMs: number }): Promise<{ row: Promise<Row> }> {
    const range = { from: Date.now(), to: 0 };
    const struck: Strike[] = [];
    const goesOn = (n: number): boolean =>
      'strikes' in often ? n < Math.min(often.strikes, scenario.rounds ?? often.strikes) : Date.now() < range.from + often.forMs; // prettier-ignore
    let problem = await this.problemOf(() => this.workGoesOn());
    for (let n = 0; goesOn(n) && problem === undefined; n++) {
      problem = await this.problemOf(async () => {
        struck.push(await scenario.fault(this.stack, n));
        await this.workGoesOn();
        await delay(BETWEEN_MS);
      });
    }
    await delay(QUIET_MS);
    // The next range begins here: what happens between two scenarios belongs to one of them.
    range.to = Date.now();
    return { row: this.count(scenario, range, { struck, problem }) };
  }

  /** Copies what every process has logged; @returns to where */
  keepLogs(folder: string): string {
    const logs = join(folder, 'logs');
    rmSync(logs, { recursive: true, force: true });
    cpSync(join(dirname(this.stack.tocsin.runtime.tokenFile), 'logs'), logs, { recursive: true });
    return logs;
  }

  async stop(): Promise<void> {
    await this.load.stop();
    await this.stack.tocsin.stop();
    await this.collector.stop();
    this.releases.remove();
  }

  /** Why something did not end well, after which all is healed; undefined where it did. */
  private async problemOf(run: () => Promise<void>): Promise<string | undefined> {
    try {
      await run();
      return undefined;
    } catch (error) {
      await this.heal();
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** What one strike has piled up must be gone before the next: two at once are another failure than is promised for. */
  private async workGoesOn(): Promise<void> {
    const { targets, rate } = this.load;
    const goOn = async (): Promise<boolean> => {
      const before = targets.hits;
      await delay(1_000);
      return targets.hits - before >= USUAL * rate && (await this.stack.backlog()) < rate;
    };
    await until(goOn, { timeoutMs: GO_ON_WITHIN_MS, what: 'checks at their usual rate, and no backlog' });
  }

  /** After a strike that did not end well: what is held back or cut must not spoil the next scenario. */
  private async heal(): Promise<void> {
    await this.stack.tocsin.control.heal();
    await this.stack.signal(this.stack.everything, 'SIGCONT');
    await this.stack.tocsin.control.release(...this.stack.everything);
    await this.stack.whole();
  }

  private async count(
    scenario: Scenario,
    range: { from: number; to: number },
    { struck, problem }: { struck: Strike[]; problem: string | undefined },
  ): Promise<Row> {
    await delay(ACCOUNT_AFTER_MS);
    const found = await account(this.load, range, struck.map(({ at }) => at)); // prettier-ignore
    const kills = struck.reduce((sum, { victims }) => sum + victims.length, 0);
    const row = { ...emptyRow(scenario.failure, scenario.how), ...found, kills };
    const bounds = promises(this.timed ? scenario.allowed : untimed(scenario.allowed));
    return { ...row, broken: [...(problem ? [problem] : []), ...judge(row, bounds)] };
  }
}
