import type { CheckResult, Rules, Verdict } from '../src/index.ts';

/**
 * What `decide` promises, said once more as plainly as it can be: keep everything that was accepted, and count it all
 * from the beginning whenever somebody asks. Nothing here is shared with the rules themselves, and nothing is fast.
 */

/** Everything one location has said. */
interface Place {
  /** Every due or manual check that was accepted, as [due time, attempt]. */
  accepted: [number, number][];
  /** What was counted since the last silence or pause. */
  counted: Verdict[];
  /** When its newest evidence was found. */
  at: number;
  /** The failure that waits to be confirmed, and how often that was asked. */
  waiting?: { window: number; asked: number; askedAt: number };
  doubted: boolean;
}

/** One stage of a monitor's life: the state it took on, and when. */
interface Stage {
  state: string;
  /** How bad it is: 0 is not. */
  severity: number;
  at: number;
}

export interface PlainIncident {
  openedAt: number;
  resolvedAt?: number;
  worst: number;
}

const CONFIRMATIONS = 3;
const CONFIRMATION_MARGIN_MS = 5_000;
const MANUAL_FROM = 1_000;
export const SEVERITIES: Record<string, number> = { up: 0, paused: 0, new: 0, degraded: 1, silent: 2, down: 3 };

export class PlainModel {
  private readonly places = new Map<string, Place>();
  private readonly stages: Stage[];
  private expectedSince: number;
  private lastFoundAt: number | undefined;
  private sinceRevision = 0;

  constructor(
    private readonly rules: Rules,
    start: number,
  ) {
    this.stages = [{ state: 'new', severity: 0, at: start }];
    this.expectedSince = start;
  }

  get state(): string {
    return this.stages.at(-1)!.state;
  }

  get since(): number {
    return this.stages.at(-1)!.at;
  }

  /** Every incident of its life: a stretch of bad stages, cut where it gets worse than it has been. */
  get incidents(): PlainIncident[] {
    const all: PlainIncident[] = [];
    let open: PlainIncident | undefined;
    for (const { severity, at } of this.stages) {
      if (open && (severity === 0 || severity > open.worst)) {
        open.resolvedAt = at;
        open = undefined;
      }
      if (severity > 0 && !open) all.push((open = { openedAt: at, worst: severity }));
    }
    return all;
  }

  result(one: CheckResult, now: number): void {
    if (this.state === 'paused' || !one.finding || !this.rules.locations.includes(one.location)) return;
    if (one.revision! < this.sinceRevision) return;
    const { verdict, durationMs } = one.finding;
    const found = Math.min(now, Math.max(one.dueAt, Math.round((one.startedAt ?? one.dueAt) + durationMs)));
    if (one.attempt > 0 && one.attempt < MANUAL_FROM) this.confirmation(one, verdict, found);
    else this.evidence(one, verdict, found, now);
  }

  silence(now: number): void {
    const limit = Math.max(this.lastFoundAt ?? 0, this.expectedSince) + silenceOf(this.rules);
    if (this.state === 'paused' || this.state === 'silent' || now <= limit) return;
    this.forget();
    this.enter('silent', now);
  }

  pause(now: number): void {
    if (this.state === 'paused') return;
    this.forget();
    this.enter('paused', now);
  }

  resume(now: number): void {
    if (this.state !== 'paused') return;
    this.expectedSince = now;
    this.enter('new', now);
  }

  rewatch(revision: number, now: number): void {
    this.places.clear();
    this.sinceRevision = revision;
    this.expectedSince = now;
    if (this.state !== 'paused') this.enter('new', now);
  }

  press(now: number, openSince: number): void {
    let counted = false;
    for (const place of this.places.values()) {
      const { waiting } = place;
      if (!waiting || now < waiting.askedAt + this.rules.timeoutMs + CONFIRMATION_MARGIN_MS) continue;
      const inVain = waiting.asked >= CONFIRMATIONS && waiting.askedAt >= openSince;
      if (!inVain) place.waiting = { ...waiting, asked: waiting.asked + 1, askedAt: now };
      else counted = this.counts(place, 'down');
    }
    if (counted) this.judge(now);
  }

  private evidence(one: CheckResult, verdict: Verdict, found: number, now: number): void {
    const place = this.placeOf(one.location);
    const stale = place.accepted.some(
      ([due, attempt]) => due > one.dueAt || (due === one.dueAt && attempt >= one.attempt),
    );
    if (stale) return;
    place.accepted.push([one.dueAt, one.attempt]);
    place.at = found;
    this.note(found);
    const first = verdict === 'down' && place.counted.at(-1) !== 'down' && this.verdictOf(place) !== 'down';
    if (this.rules.confirm && first && !place.waiting && !place.doubted) {
      place.waiting = { window: one.window, asked: 1, askedAt: now };
      return;
    }
    if (place.waiting && verdict === 'down') place.counted.push('down');
    this.counts(place, verdict);
    this.judge(found);
  }

  private confirmation(one: CheckResult, verdict: Verdict, found: number): void {
    const { locations } = this.rules;
    const asker = locations.find((name, at) => {
      const waiting = this.places.get(name)?.waiting;
      const answers = locations[(at + one.attempt) % locations.length] === one.location;
      return answers && waiting?.window === one.window && one.attempt <= waiting.asked;
    });
    if (asker === undefined) return;
    const place = this.placeOf(asker);
    this.note(found);
    if (asker === one.location) place.at = Math.max(place.at, found);
    if (verdict === 'down' || asker === one.location) this.counts(place, verdict);
    else {
      delete place.waiting;
      place.doubted = true;
    }
    this.judge(found);
  }

  private counts(place: Place, verdict: Verdict): true {
    place.counted.push(verdict);
    delete place.waiting;
    place.doubted = false;
    return true;
  }

  /** What a location says, counted from the beginning. */
  private verdictOf(place: Place): Verdict | 'unknown' {
    const { failureThreshold, recoveryThreshold } = this.rules;
    let says: Verdict | 'unknown' = 'unknown';
    place.counted.forEach((latest, n) => {
      const until = place.counted.slice(0, n + 1);
      const lastUp = tail(until, (one) => one === 'up') >= recoveryThreshold;
      if (tail(until, (one) => one === 'down') >= failureThreshold) says = 'down';
      else if (says === 'down') {
        if (tail(until, (one) => one !== 'down') >= recoveryThreshold) says = lastUp ? 'up' : 'degraded';
      } else if (says === 'degraded') says = lastUp ? 'up' : 'degraded';
      else if (latest !== 'down' && tail(until, (one) => one !== 'up') >= failureThreshold) says = 'degraded';
      else if (latest === 'up') says = 'up';
    });
    return says;
  }

  /** The verdict of all locations that are not silent; it stays open while none of them says it is up. */
  private judge(at: number): void {
    const { locations, quorum } = this.rules;
    const newest = Math.max(...locations.map((name) => this.places.get(name)?.at ?? 0));
    const present = locations.filter((name) => {
      const heard = Math.max(this.places.get(name)?.at ?? 0, this.expectedSince);
      return newest - heard <= silenceOf(this.rules);
    });
    const said = present.flatMap((name) => this.places.get(name) ?? []).map((place) => this.verdictOf(place));
    const needed = Math.max(1, Math.min(quorum, present.length));
    const down = said.filter((one) => one === 'down').length;
    const bad = said.filter((one) => one === 'down' || one === 'degraded').length;
    if (down >= needed) this.enter('down', at);
    else if (bad >= needed) this.enter('degraded', at);
    else if (said.includes('up')) this.enter('up', at);
  }

  private enter(state: string, at: number): void {
    if (state === this.state) return;
    this.stages.push({ state, severity: SEVERITIES[state]!, at: Math.max(at, this.since) });
  }

  private note(found: number): void {
    this.lastFoundAt = Math.max(this.lastFoundAt ?? 0, found);
  }

  /** What was accepted stays so, that a result of before is still one of before; what it said is of no account. */
  private forget(): void {
    for (const place of this.places.values()) {
      place.counted = [];
      place.doubted = false;
      delete place.waiting;
    }
  }

  private placeOf(name: string): Place {
    let place = this.places.get(name);
    if (!place) this.places.set(name, (place = { accepted: [], counted: [], at: 0, doubted: false }));
    return place;
  }
}

function tail<T>(list: readonly T[], is: (one: T) => boolean): number {
  return list.length - 1 - list.findLastIndex((one) => !is(one));
}

function silenceOf({ intervalMs, timeoutMs }: Rules): number {
  return Math.max(3 * intervalMs, intervalMs + timeoutMs + 15_000);
}
