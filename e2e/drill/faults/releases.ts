import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDir } from '@tocsin/testing/servers';
import type { Fault } from './fault.ts';
import { addKind, NewKind } from './new-kind.ts';
import { restartInTurn } from './process-faults.ts';

/** A change of the schema that the next release brings, per service; `drill_` names nothing that Tocsin uses. */
const MIGRATIONS: Record<string, { expand: string; contract: string }> = {
  monitors: migrationsOf('monitors'),
  incidents: migrationsOf('states'),
  notifier: migrationsOf('notifications'),
};

function migrationsOf(table: string): { expand: string; contract: string } {
  return {
    expand: `ALTER TABLE ${table} ADD COLUMN drill_extra text NOT NULL DEFAULT '';\n`,
    contract: `ALTER TABLE ${table} DROP COLUMN drill_extra;\n`,
  };
}

/**
 * Releases of the built apps side by side, and a folder of links that says which one is started next. Each release after
 * the first brings one migration to each service that owns a schema: an expansion first, then the contraction of it.
 */
export class Releases {
  /** What TOCSIN_APPS_DIR is set to. */
  readonly current: string;
  private number = 1;

  private constructor(private readonly home: string) {
    this.current = join(home, 'current');
  }

  /**
   * Points every app at the first release: what is built.
   * @param built the folder of the built apps; it may be built later, but before the start
   */
  static of(built: string, services: readonly string[]): Releases {
    const releases = new Releases(temporaryDir('releases'));
    mkdirSync(releases.current);
    for (const service of services) releases.point(service, join(built, service));
    return releases;
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }

  /** A rolling upgrade to the next release: every instance in turn, two releases side by side until the last. */
  readonly fault: Fault = async (stack, strike) => {
    this.number += 1;
    for (const service of readdirSync(this.current)) this.point(service, await this.make(service));
    return restartInTurn(() => stack.instances())(stack, strike);
  };

  /**
   * A rolling upgrade to a release that adds a kind: who owns monitors first, then the gateways, which refuse a kind that they
   * do not know. Monitors of the kind are created at once, while everything else runs the release before; the probers are last.
   */
  readonly addingAKind: Fault = async (stack, strike) => {
    this.number += 1;
    for (const service of readdirSync(this.current)) {
      const folder = await this.make(service);
      addKind(service, folder);
      this.point(service, folder);
    }
    const of = (...services: string[]) => services.flatMap((service) => stack.instances(service));
    const [first, last] = [of('monitors', 'gateway'), of('prober')];
    const between = stack.instances().filter((name) => !first.includes(name) && !last.includes(name));
    const { at } = await restartInTurn(() => first)(stack, strike);
    const ofNewKind = await NewKind.create(stack);
    await restartInTurn(() => [...between, ...last])(stack, strike);
    await ofNewKind.runs();
    await ofNewKind.remove();
    return { at, victims: [...first, ...between, ...last] };
  };

  private async make(service: string): Promise<string> {
    const folder = join(this.home, `release-${this.number}`, service);
    // Not in one go: the targets and the clients of the drill live in this process.
    await cp(join(this.current, service), folder, { recursive: true, dereference: true });
    const change = MIGRATIONS[service];
    if (change && existsSync(join(folder, 'migrations'))) {
      const kind = this.number % 2 === 0 ? 'expand' : 'contract';
      writeFileSync(join(folder, 'migrations', `${900 + this.number}-drill-${kind}.sql`), change[kind]);
    }
    return folder;
  }

  /** In one step, so that an instance that starts meanwhile finds either. */
  private point(service: string, folder: string): void {
    const link = join(this.current, service);
    rmSync(`${link}.new`, { force: true });
    symlinkSync(folder, `${link}.new`);
    renameSync(`${link}.new`, link);
  }
}
