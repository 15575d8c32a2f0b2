import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { ApiClient, until } from '@tocsin/testing';
import { askOverNetwork, RecordDatabase } from '../../trial/oracle/database.ts';
import { OUTCOMES } from '../../trial/oracle/record.ts';
import type { Stack } from '../stack.ts';

/** The kind that the next release adds: a connection, as `tcp` makes it. */
const KIND = 'echo';
const RAN = OUTCOMES.indexOf('ran');
const MONITORS = 5;
const INTERVAL_MS = 5_000;
/** Longer than an old prober may keep a check that it cannot run, and two windows. */
const RUNS_WITHIN_MS = 45_000;

/** A registry in a built app that names every kind, and what stands there in the release that adds one. */
interface Patch {
  find: RegExp;
  becomes: string;
}

const KIND_OF: Patch = {
  find: /\btcp: tcpKind\b/g,
  becomes: `$&, ${KIND}: probedKind("${KIND}", tcpKind)`,
};
const SETTINGS: Patch = { find: /\btcp: tcpFaults\b/g, becomes: `$&, ${KIND}: tcpFaults` };
const CHECK: Patch = { find: /\btcp: checkTcp\b/g, becomes: `$&, ${KIND}: checkTcp` };

/** What those services change that look at a kind; the others pass it on. */
const PATCHES: Record<string, readonly Patch[]> = {
  monitors: [KIND_OF, SETTINGS],
  gateway: [KIND_OF],
  prober: [KIND_OF, CHECK],
};

/**
 * Makes the built app in a folder one that knows the new kind.
 * @throws when a place is not found exactly once: the build looks different from what is written here
 */
export function addKind(service: string, folder: string): void {
  const bin = join(folder, 'bin');
  const scripts = readdirSync(bin).filter((name) => name.endsWith('.js'));
  for (const { find, becomes } of PATCHES[service] ?? []) {
    const found = scripts.flatMap((name) => {
      const text = readFileSync(join(bin, name), 'utf8');
      return [...text.matchAll(find)].map(() => ({ name, text }));
    });
    if (found.length !== 1) throw new Error(`${service}: ${find.source} is there ${found.length} times, not once`);
    writeFileSync(join(bin, found[0]!.name), found[0]!.text.replace(find, becomes));
  }
}

/** Monitors of the new kind, and a server that they connect to. */
export class NewKind {
  private constructor(
    private readonly api: ApiClient,
    private readonly record: RecordDatabase,
    private readonly ids: readonly string[],
    private readonly stopTarget: () => void,
  ) {}

  /** Creates them through any gateway. @throws when one is refused */
  static async create({ tocsin }: Stack): Promise<NewKind> {
    const target = createServer((socket) => socket.on('error', () => socket.destroy()).end());
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    const { port } = target.address() as AddressInfo;
    const api = new ApiClient(tocsin.gateways, tocsin.token);
    const ids = await api.createMonitors(
      Array.from({ length: MONITORS }, (_, n) => ({
        kind: KIND,
        name: `of a new kind, ${n}`,
        interval: `${INTERVAL_MS / 1_000}s`,
        timeout: '2s',
        settings: { host: '127.0.0.1', port },
      })),
    );
    return new NewKind(api, new RecordDatabase(askOverNetwork(tocsin.databaseUrl)), ids, () => target.close());
  }

  /** Waits until a window of each, due from now on, has run. @throws after 45 s */
  async runs(): Promise<void> {
    const from = Date.now();
    await until(
      async () => {
        const rows = await this.record.windows({ from, to: Date.now() });
        const ran = rows.filter(({ outcomes }) => outcomes.includes(RAN)).map(({ monitorId }) => monitorId);
        return this.ids.every((id) => ran.includes(id));
      },
      { timeoutMs: RUNS_WITHIN_MS, everyMs: 500, what: `a window of each monitor of the kind ${KIND} that ran` },
    );
  }

  async remove(): Promise<void> {
    for (const id of this.ids) await this.api.delete(`/v1/monitors/${id}`);
    this.stopTarget();
  }
}
