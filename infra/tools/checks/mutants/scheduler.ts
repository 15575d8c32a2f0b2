import type { Mutant } from './mutant.ts';

/** What lets one scheduler after the other run a shard, without a gap and without a double. */
export const scheduler: readonly Mutant[] = [
  {
    mechanism: 'A frozen holder asks its lease before it publishes anything',
    file: 'apps/scheduler/src/running-shards.ts',
    find: 'if (lease.isHeld()) continue;',
    replace: 'if (lease) continue;',
    test: 'apps/scheduler/test/failover.e2e-spec.ts',
    title: 'does no harm when a holder wakes up that was frozen longer than its lease',
  },
  {
    mechanism: 'The watermark waits for what is on its way to the stream',
    file: 'apps/scheduler/src/shard.ts',
    find: 'Math.min(this.published, oldest - 1)',
    replace: 'this.published',
    test: 'apps/scheduler/src/shard.spec.ts',
  },
  {
    mechanism: 'The watermark is written when a shard is given up',
    file: 'apps/scheduler/src/running-shards.ts',
    find: 'await this.watermarks.write(index, shard.watermark);',
    replace: '',
    test: 'apps/scheduler/src/running-shards.model.spec.ts',
    title: 'a handover in order repeats nothing',
  },
  {
    mechanism: 'A scheduler goes on while nobody can be asked about leases',
    file: 'apps/scheduler/src/shard-holder.ts',
    find: 'if (lost.length === 0) return;\n    await this.leases.checkWritable();',
    replace: '',
    test: 'apps/scheduler/src/running-shards.spec.ts',
    title: 'a holder goes on past the end of its lease',
  },
  {
    mechanism: 'A scheduler that stood still meanwhile does not',
    file: 'apps/scheduler/src/running-shards.ts',
    find: 'if (now - this.awakeAt > STANDSTILL_MS) this.stopUnheld();',
    replace: '',
    test: 'apps/scheduler/src/running-shards.spec.ts',
    title: 'a holder that stood still meanwhile does not',
  },
  {
    mechanism: 'A watermark from a clock that was ahead is not believed',
    file: 'apps/scheduler/src/schedule.ts',
    find: 'resumeFrom <= now + SKEW_MS && ',
    replace: '',
    test: 'apps/scheduler/src/schedule.spec.ts',
  },
  {
    mechanism: 'A watermark vouches for no grid that had just begun',
    file: 'apps/scheduler/src/schedule.ts',
    find: ' && monitor.gridSince <= resumeFrom - HEARD_WITHIN_MS',
    replace: '',
    test: 'apps/scheduler/src/schedule.spec.ts',
  },
  {
    mechanism: 'A clock that is set back takes the schedule along',
    file: 'apps/scheduler/src/running-shards.ts',
    find: 'shard.tell(now);\n      const due',
    replace: 'const due',
    test: 'apps/scheduler/src/running-shards.model.spec.ts',
    title: 'a clock that steps, ahead or back, costs no window',
  },
  {
    mechanism: 'The window that is open when its grid ends is still given out',
    file: 'apps/scheduler/src/schedule.ts',
    find: 'return window >= next ?',
    replace: 'return window < next && window > next ?',
    test: 'apps/scheduler/src/schedule.spec.ts',
  },
];
