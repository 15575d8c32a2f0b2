import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Cache } from '@tocsin/cache';
import {
  type Aged,
  type AnyMonitor,
  commands,
  heartbeatOf,
  type MonitorListItem,
  type MonitorView,
  requests,
  type routes,
  type StateView,
  traitsOf,
} from '@tocsin/contracts';
import { type Clock, heartbeatKey } from '@tocsin/core';
import { type Answer, type Call, type Caller, created, done, ok, record } from '@tocsin/edge';
import { CronSchedule } from '@tocsin/schedule';
import { CLOCK, CONFIG } from '@tocsin/service';
import { ServiceClient } from '../service-client/service-client.ts';
import type { GatewayConfig } from '../gateway.config.ts';
import { sealSecrets, shownTo } from '../secrets.ts';

const TIMES_SHOWN = 5;
const STATES_FRESH_MS = 1_000;
const STATES_STALE_MS = 60_000;
/** A list is worth more without states than late. */
const STATES_TIMEOUT_MS = 500;
/** For how long after that no list waits for them again. */
const STATES_AWAY_MS = 1_000;

type Routes = typeof routes;

interface States extends Aged {
  byMonitor: ReadonlyMap<string, StateView>;
}

const NO_STATES: States = { byMonitor: new Map(), ageMs: 0, stale: false };

/** Monitors as REST shows them: secrets hidden, states beside, and the push key for who may know it. */
@Injectable()
export class MonitorsService {
  private statesAwayUntil = 0;

  constructor(
    private readonly owners: ServiceClient,
    private readonly cache: Cache,
    @Inject(CONFIG) private readonly config: GatewayConfig,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  create(call: Call<Routes['monitorsCreate']>): Promise<Answer> {
    const spec = sealSecrets(call.body, this.config.sealing.checks, { keeps: false });
    return this.owners.command(commands.monitorsCreate, { spec }, call, (monitor) =>
      created(`/v1/monitors/${monitor.id}`, this.whole(monitor, call.caller)),
    );
  }

  async list(call: Call<Routes['monitorsList']>): Promise<Answer> {
    const { items, next, ...aged } = await this.owners.read(requests.monitorsList, call.query, call);
    const states = await this.statesOf(items.map((monitor) => monitor.id));
    const shown: MonitorListItem[] = items.map((monitor) => {
      const state = states.byMonitor.get(monitor.id);
      return { ...this.view(monitor, call.caller), ...(state ? { state } : {}) };
    });
    return ok(
      { items: shown, ...(next === undefined ? {} : { next }) },
      {
        ageMs: Math.max(aged.ageMs, states.ageMs),
        stale: aged.stale || states.stale,
      },
    );
  }

  async read(call: Call<Routes['monitorsGet']>): Promise<Answer> {
    const { monitor, ageMs, stale } = await this.owners.read(requests.monitorsGet, call.params, call);
    return record(this.whole(monitor, call.caller), { ageMs, stale });
  }

  replace(call: Call<Routes['monitorsReplace']>): Promise<Answer> {
    const spec = sealSecrets(call.body, this.config.sealing.checks, { keeps: true });
    const { ifRevision } = call.preconditions;
    return this.owners.command(commands.monitorsReplace, { ...call.params, ifRevision, spec }, call, (monitor) =>
      record(this.whole(monitor, call.caller)),
    );
  }

  patch(call: Call<Routes['monitorsPatch']>): Promise<Answer> {
    return this.change(call, call.params.id, sealSecrets(call.body, this.config.sealing.checks, { keeps: true }));
  }

  /** Pausing and resuming are patches. */
  setPaused(call: Call<Routes['monitorsPause']>, paused: boolean): Promise<Answer> {
    return this.change(call, call.params.id, { paused });
  }

  remove(call: Call<Routes['monitorsDelete']>): Promise<Answer> {
    const { ifRevision } = call.preconditions;
    return this.owners.command(commands.monitorsDelete, { ...call.params, ifRevision }, call, done);
  }

  check(call: Call<Routes['monitorsCheck']>): Promise<Answer> {
    return this.owners.command(commands.monitorsCheck, call.params, call, ok);
  }

  private change(call: Call, id: string, patch: Record<string, unknown>): Promise<Answer> {
    const { ifRevision } = call.preconditions;
    return this.owners.command(commands.monitorsPatch, { id, ifRevision, patch }, call, (monitor) =>
      record(this.whole(monitor, call.caller)),
    );
  }

  /** A monitor by itself: with what would be too much work for each of a page. */
  private whole(monitor: AnyMonitor, caller: Caller | undefined): MonitorView {
    const view = this.view(monitor, caller);
    const schedule = heartbeatOf(monitor.spec)?.schedule;
    if (schedule === undefined || !('cron' in schedule)) return view;
    const { cron, timezone } = schedule;
    return { ...view, nextTimes: new CronSchedule(cron, timezone).upcoming(this.clock.now(), TIMES_SHOWN) };
  }

  private view(monitor: AnyMonitor, caller: Caller | undefined): MonitorView {
    const shown = { ...monitor, spec: shownTo(caller, monitor.spec) };
    if (!traitsOf(monitor.spec.kind).hasKey || caller === undefined || caller.role === 'viewer') return shown;
    const key = heartbeatKey(this.config.heartbeatKeys, monitor.id);
    return { ...shown, heartbeatKey: key, heartbeatUrl: `${this.config.publicUrl ?? ''}/v1/heartbeats/${key}` };
  }

  /** The states of a page of monitors, asked for at once; none while the read side is away. */
  private async statesOf(monitorIds: string[]): Promise<States> {
    if (monitorIds.length === 0 || this.clock.monotonic() < this.statesAwayUntil) return NO_STATES;
    const key = `states:${createHash('sha256').update(monitorIds.join()).digest('base64url')}`;
    const load = () => this.owners.readNow(requests.statesGet, { monitorIds }, this.clock.now() + STATES_TIMEOUT_MS);
    // Stale ones are given only where there are no newer ones, so that what is marked stale is.
    const options = { ttlMs: STATES_FRESH_MS, staleMs: STATES_STALE_MS, graceMs: 0, timeoutMs: STATES_TIMEOUT_MS };
    try {
      const { value, ageMs, stale } = await this.cache.get(key, load, options);
      return {
        byMonitor: new Map(value.items.map((state) => [state.monitorId, state])),
        // They had an age when they came into the cache.
        ageMs: ageMs + value.ageMs,
        stale: stale || value.stale,
      };
    } catch {
      this.statesAwayUntil = this.clock.monotonic() + STATES_AWAY_MS;
      return NO_STATES;
    }
  }
}
