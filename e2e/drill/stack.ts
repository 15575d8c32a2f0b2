import { messagesIn, type StartedTocsin, streamLeader, streamsAreWhole, until } from '@tocsin/testing';
import { signalPostgres, signalUnlessGone } from '@tocsin/testing/servers';
import type { Breakable } from '../trial/trial.ts';
import { untilWhole } from '../trial/until-whole.ts';

const ASK_MS = 2_000;
const WHOLE_EVERY_MS = 200;
const WHOLE_WITHIN_MS = 60_000;

/** The running Tocsin as somebody outside sees it and breaks it: processes, links, and what says that all is well. */
export class Stack implements Breakable {
  constructor(readonly tocsin: StartedTocsin) {}

  /** The names of the instances of one service, or of all. */
  instances(service?: string): string[] {
    const all = this.tocsin.runtime.instances;
    return all.filter((each) => service === undefined || each.service === service).map(({ instance }) => instance);
  }

  /** The names of all instances and servers. */
  get everything(): string[] {
    return [...this.instances(), ...Object.keys(this.tocsin.runtime.servers)];
  }

  /** The names of the NATS nodes. */
  get nodes(): string[] {
    return Object.keys(this.tocsin.runtime.servers).filter((name) => name.startsWith('nats'));
  }

  /** The present process of an instance or a server; undefined between two. */
  pidOf(name: string): number | undefined {
    const { instances, servers } = this.tocsin.runtime;
    const pid = instances.find(({ instance }) => instance === name)?.pid ?? servers[name]?.pid;
    return pid === undefined || pid <= 0 ? undefined : pid;
  }

  /**
   * Sends a signal to the present process of each name, and to all that belong to it; one that is gone already is left.
   * @returns the processes by name
   */
  async signal(names: readonly string[], signal: NodeJS.Signals): Promise<Map<string, number>> {
    const struck = new Map<string, number>();
    for (const name of names) {
      const pid = this.pidOf(name);
      if (pid === undefined) continue;
      struck.set(name, pid);
      if (name.startsWith('postgres')) await signalPostgres(pid, signal);
      else signalUnlessGone(pid, signal);
    }
    return struck;
  }

  /** Waits until each name has another process than the one it had. */
  async replaced(struck: ReadonlyMap<string, number>): Promise<void> {
    await until(() => [...struck].every(([name, pid]) => ![pid, undefined].includes(this.pidOf(name))), {
      timeoutMs: WHOLE_WITHIN_MS,
      everyMs: 50,
      what: `another process of ${[...struck.keys()].join(', ')}`,
    });
  }

  /** Waits until every instance is ready and every stream has all its copies. */
  async whole(): Promise<void> {
    await untilWhole(() => this.missing(), { withinMs: WHOLE_WITHIN_MS, everyMs: WHOLE_EVERY_MS });
  }

  /** How many checks and results wait to be worked on. */
  async backlog(): Promise<number> {
    return await messagesIn(this.tocsin.nats, 'CHECKS', 'RESULTS');
  }

  /** Nothing is held back, frozen or cut any more, and all is whole. */
  async heal(): Promise<void> {
    await this.tocsin.control.heal();
    await this.signal(this.everything, 'SIGCONT');
    await this.tocsin.control.release(...this.everything);
    await this.whole();
  }

  /** The node that leads a stream. */
  async leaderOf(stream: string): Promise<string> {
    return await until(() => streamLeader(this.tocsin.nats, stream), {
      timeoutMs: 20_000,
      what: `a leader of ${stream}`,
    });
  }

  private async missing(): Promise<string[]> {
    const [instances, streams] = await Promise.all([this.unready(), streamsAreWhole(this.tocsin.nats)]);
    return [...instances, ...(streams ? [] : ['a stream lacks a copy'])];
  }

  private async unready(): Promise<string[]> {
    const asked = this.tocsin.runtime.instances.map(async ({ instance, health }) => {
      const ready = await fetch(health, { signal: AbortSignal.timeout(ASK_MS) }).then(
        async (response) => (await response.arrayBuffer(), response.ok),
        () => false,
      );
      return ready ? [] : [`${instance} is not ready`];
    });
    return (await Promise.all(asked)).flat();
  }
}
