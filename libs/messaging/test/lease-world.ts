import { AsyncLocalStorage } from 'node:async_hooks';
import type { Connection } from '../src/client/connection.ts';
import type { KeyValue, KeyValueEntry } from '../src/client/key-value.ts';
import { Leases } from '../src/leases/leases.ts';
import { LeaseTable } from '../src/leases/lease-table.ts';

/** When the simulated bucket was created. */
export const CREATED = '2026-01-01T00:00:00.000Z';

/** How long a process waits for an answer that can't come. */
const CUT_MS = 100;

/** A subscriber to the bucket, as the table's follow gives it. */
export type Handler = (message: { subject: string; data: unknown; sequence: number; headers: object }) => void;

interface Occasion {
  at: number;
  order: number;
  node: LeaseNode | undefined;
  run: () => void;
  cancelled: boolean;
}

/** Who is running: what asks for the time, or sets a timer, does so by the clock of its own process. */
export const running = new AsyncLocalStorage<LeaseNode>();

/** One bucket and several processes, in a time that passes from one occasion to the next. Nothing is ever really waited for. */
export class LeaseWorld {
  now = 0;
  private readonly occasions: Occasion[] = [];
  private readonly entries = new Map<string, KeyValueEntry>();
  private readonly nodes: LeaseNode[] = [];
  private revision = 0;
  private made = 0;

  /** @param delays ms that messages take, one after the other; a negative one never arrives */
  constructor(private readonly delays: readonly number[]) {}

  join(node: LeaseNode): void {
    this.nodes.push(node);
  }

  at(at: number, node: LeaseNode | undefined, run: () => void): Occasion {
    const occasion = { at, order: (this.made += 1), node, run, cancelled: false };
    this.occasions.push(occasion);
    return occasion;
  }

  /** Goes to the next occasion. What belongs to a frozen process happens when it wakes up. */
  async next(): Promise<void> {
    this.occasions.sort((a, b) => a.at - b.at || a.order - b.order);
    const one = this.occasions.shift();
    if (!one || one.cancelled) return;
    this.now = Math.max(this.now, one.at);
    const until = one.node?.frozenUntil ?? 0;
    if (until > this.now) this.occasions.push({ ...one, at: until });
    else if (one.node) running.run(one.node, one.run);
    else one.run();
    await new Promise((resolve) => setImmediate(resolve));
  }

  delay(): number {
    this.made += 1;
    return this.delays[this.made % this.delays.length]!;
  }

  /** Carries a request to the bucket and its answer back; either may take long, and the answer may be lost. */
  ask<T>(node: LeaseNode, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (node.cutUntil > this.now) {
        this.at(this.now + CUT_MS, node, () => reject(new Error('timeout')));
        return;
      }
      this.at(this.now + Math.abs(this.delay()), undefined, () => {
        const answer = act();
        const back = node.answersMs ?? this.delay();
        if (back >= 0) this.at(this.now + back, node, () => resolve(answer));
        else this.at(this.now - back, node, () => reject(new Error('timeout')));
      });
    });
  }

  write(key: string, value: unknown, expected: number): number | undefined {
    if ((this.entries.get(key)?.revision ?? 0) !== expected) return undefined;
    const revision = (this.revision += 1);
    if (value === undefined) this.entries.delete(key);
    else this.entries.set(key, { key, value: structuredClone(value), revision });
    const headers = value === undefined ? { 'KV-Operation': 'DEL' } : {};
    for (const node of this.nodes) {
      node.heardUntil = Math.max(node.heardUntil, this.now + Math.abs(this.delay()));
      const message = { subject: `$KV.leases.${key}`, data: structuredClone(value), sequence: revision, headers };
      this.at(node.heardUntil, node, () => node.handler?.(message));
    }
    return revision;
  }

  read(key: string): KeyValueEntry | undefined {
    return this.entries.get(key);
  }
}

/** One process: its clock, its view of the bucket, and the real leases over them. */
export class LeaseNode {
  frozenUntil = 0;
  /** It runs and reaches nobody. */
  cutUntil = 0;
  heardUntil = 0;
  /** How long its answers take, where they differ from other messages. */
  answersMs: number | undefined;
  handler: Handler | undefined;
  readonly leases: Leases;

  /** @param rate how fast its clock goes: 1.05 gains 5 % */
  constructor(
    readonly name: string,
    readonly world: LeaseWorld,
    readonly rate: number,
  ) {
    const bucket = {
      get: (key: string) => world.ask(this, () => world.read(key)),
      create: (key: string, value: unknown) => world.ask(this, () => world.write(key, value, 0)),
      update: (key: string, value: unknown, revision: number) =>
        world.ask(this, () => world.write(key, value, revision)),
      delete: (key: string, revision: number) =>
        world.ask(this, () => world.write(key, undefined, revision) !== undefined),
      incarnation: () => Promise.resolve(CREATED),
    };
    const connection = { subscribe: (handler: Handler) => (this.handler = handler) };
    this.leases = new Leases(
      bucket as unknown as KeyValue,
      new LeaseTable(connection as unknown as Connection, 'leases'),
    );
    world.join(this);
  }

  get clock(): number {
    return this.world.now * this.rate;
  }

  /** A timer by this process's clock. */
  after(ms: number, run: () => void): { unref(): void; cancel(): void } {
    const occasion = this.world.at(this.world.now + ms / this.rate, this, run);
    return { unref: () => undefined, cancel: () => (occasion.cancelled = true) };
  }
}
