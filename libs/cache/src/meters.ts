import { type Counter, metrics } from '@opentelemetry/api';

/** Where an answer came from. */
export type Tier = 'memory' | 'redis' | 'loader';
export type Outcome = 'hit' | 'stale' | 'miss' | 'error';

/** Counts answers by tier and outcome. */
export class Meters {
  private readonly reads: Counter;

  constructor(private readonly namespace: string) {
    this.reads = metrics.getMeter('tocsin').createCounter('tocsin_cache_reads_total', {
      description: 'Reads through the cache, by the tier that answered and how',
    });
  }

  count(tier: Tier, outcome: Outcome): void {
    this.reads.add(1, { cache: this.namespace, tier, outcome });
  }
}
