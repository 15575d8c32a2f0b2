import { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { type MonitorTally, requests, routes } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import { CLOCK } from '@tocsin/service';
import type { Answer } from '../edge/answer.ts';
import type { Call } from '../edge/call.ts';
import { Owners } from '../edge/owners.ts';
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
  private kept: { at: number; tallies: Promise<Tallies> } | undefined;

  constructor(
    private readonly owners: Owners,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws TocsinError `unavailable` or `deadline` while the read side is away: half of the monitors is worse than none */
  async read(call: Call): Promise<Answer> {
    const { items, omitted } = await this.tallies(call);
    const type = routes.metrics.answerType ?? '';
    return { stream: Readable.from(exposition(items, omitted)), headers: { 'content-type': type } };
  }

  private async tallies(call: Call): Promise<Tallies> {
    const now = this.clock.now();
    if (this.kept && now - this.kept.at < KEPT_MS) return this.kept.tallies;
    const kept = { at: now, tallies: this.collect(call) };
    this.kept = kept;
    try {
      return await kept.tallies;
    } catch (error) {
      if (this.kept === kept) this.kept = undefined;
      throw error;
    }
  }

  private async collect(call: Call): Promise<Tallies> {
    const items: MonitorTally[] = [];
    let cursor: string | undefined;
    for (let n = 0; n < PAGES_MAX; n++) {
      const page = await this.owners.read(requests.tallies, { limit: PAGE, cursor }, call);
      items.push(...page.items);
      cursor = page.next;
      if (cursor === undefined) break;
    }
    return { items, omitted: cursor !== undefined };
  }
}
