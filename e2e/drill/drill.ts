import { cpSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serviceNames } from '@tocsin/contracts';
import { startTocsin } from '@tocsin/testing';
import { projectRoot } from '@tocsin/testing/servers';
import { Load } from '../trial/load/load.ts';
import { askOverNetwork, RecordDatabase } from '../trial/oracle/database.ts';
import { Trial } from '../trial/trial.ts';
import { Collector } from './faults/collector.ts';
import type { DrillScenario } from './faults/fault.ts';
import { Releases } from './faults/releases.ts';
import { scenarios } from './scenarios.ts';
import { Stack } from './stack.ts';

const WARM_UP_MS = 15_000;

/** A running Tocsin under load, and what can be done to it. */
export class Drill {
  readonly trial: Trial<Stack>;

  private constructor(
    private readonly stack: Stack,
    private readonly load: Load,
    private readonly collector: Collector,
    private readonly releases: Releases,
  ) {
    this.trial = new Trial(stack, load);
  }

  /** Starts everything and puts it under load; resolves when every monitor has been checked on its grid for a while. */
  static async start(rate: number): Promise<Drill> {
    const releases = Releases.of(join(projectRoot, 'dist/apps'), serviceNames);
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
    const place = {
      gateways: () => tocsin.gateways,
      token: tocsin.token,
      record: new RecordDatabase(askOverNetwork(tocsin.databaseUrl)),
      address: '127.0.0.1',
    };
    const load = await Load.start(place, rate);
    await delay(WARM_UP_MS);
    return new Drill(stack, load, collector, releases);
  }

  /** Every scenario: those of the table, and those whose parts the drill itself makes. */
  get scenarios(): readonly DrillScenario[] {
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
        name: 'new-kind',
        failure: 'a rolling upgrade that adds a kind of check',
        how: 'restarted',
        fault: this.releases.addingAKind,
        apart: true,
        rounds: 1,
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
}
