import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { type MonitorTally, requests, routes } from '@tocsin/contracts';
import { type Clock, unlessAborted } from '@tocsin/core';
import { type Answer, type Call, LONGEST_WAIT_MS } from '@tocsin/edge';
import { Deadline } from '@tocsin/resilience';
import { CLOCK } from '@tocsin/service';
import { ServiceClient } from '../service-client/service-client.ts';
import { exposition } from './exposition.ts';

const PAGE = 500;
const PAGES_MAX = 40;
/** Several scrapers that come together are given the same. */
const KEPT_MS = 5_000;

interface Tallies {
  items: readonly MonitorTally[];
  omitted: boolean;
}

/** State and coverage of every monitor for Prometheus: read page by page, written piece by piece. */
@Injectable()
export class MonitorMetrics {
  private kept: { until: number; tallies: Promise<Tallies> } | undefined;

  constructor(
    private readonly owners: ServiceClient,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws TocsinError `unavailable` or `deadline` while the read side is away: half of the monitors is worse than none */
  async read(call: Call): Promise<Answer> {
    const { items, omitted } = await unlessAborted(this.tallies(), Deadline.at(call.deadline).signal);
    const type = routes.metrics.answerType ?? '';
    return { stream: Readable.from(exposition(items, omitted)), headers: { 'content-type': type } };
  }

  /** What is being collected is for all who wait for it, so it has a deadline of its own and not that of the first. */
  private tallies(): Promise<Tallies> {
    const now = this.clock.now();
    if (this.kept && now < this.kept.until) return this.kept.tallies;
    const kept = { until: Infinity, tallies: this.collect(now + LONGEST_WAIT_MS) };
    this.kept = kept;
    kept.tallies.then(
      () => (kept.until = now + KEPT_MS),
      () => (kept.until = 0),
    );
    return kept.tallies;
  }

  private async collect(deadline: number): Promise<Tallies> {
    const items: MonitorTally[] = [];
    let cursor: string | undefined;
    for (let n = 0; n < PAGES_MAX; n++) {
      const page = await this.owners.readNow(requests.tallies, { limit: PAGE, cursor }, deadline);
      items.push(...page.items);
      cursor = page.next;
      if (cursor === undefined) break;
    }
    return { items, omitted: cursor !== undefined };
  }
}
