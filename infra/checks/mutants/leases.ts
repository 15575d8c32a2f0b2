import type { Mutant } from './mutant.ts';

/** What lets one process at a time hold something. */
export const leases: readonly Mutant[] = [
  {
    mechanism: 'A lease is written by compare-and-set',
    file: 'libs/messaging/src/key-value.ts',
    find: 'kv.create(key,',
    replace: 'kv.put(key,',
    test: 'libs/messaging/test/lease.int-spec.ts',
    title: 'is held by one only, however many try at once',
  },
  {
    mechanism: 'A lease is renewed while its holder lives',
    file: 'libs/messaging/src/held-lease.ts',
    find: 'await this.renew();',
    replace: 'await Promise.resolve();',
    test: 'libs/messaging/test/lease.int-spec.ts',
    title: 'is renewed for as long as its holder lives',
  },
  {
    mechanism: 'A holder judges by the clock whether a lease is still its own',
    file: 'libs/messaging/src/held-lease.ts',
    find: 'systemClock.monotonic() - this.renewedAt <',
    replace: '0 * this.renewedAt <',
    test: 'libs/messaging/test/lease.int-spec.ts',
    title: 'is not held any more by a process that stood still past its time',
  },
  {
    mechanism: 'A lease that expired is never renewed',
    file: 'libs/messaging/src/held-lease.ts',
    find: "this.end('expired before it could be renewed');\n    return false;",
    replace: 'return false;',
    test: 'libs/messaging/src/held-lease.spec.ts',
  },
  {
    mechanism: 'A holder does without a tenth of its lease',
    file: 'libs/messaging/src/held-lease.ts',
    find: 'const MARGIN = 0.1;',
    replace: 'const MARGIN = 0;',
    test: 'libs/messaging/src/leases.model.spec.ts',
    title: 'a holder that reaches nobody, its clock a tenth slower',
  },
  {
    mechanism: 'A renewal counts from when it was sent',
    file: 'libs/messaging/src/held-lease.ts',
    find: 'return this.reread();\n    this.held(revision, sentAt);',
    replace: 'return this.reread();\n    this.held(revision, Math.max(sentAt, systemClock.monotonic()));',
    test: 'libs/messaging/src/leases.model.spec.ts',
    title: 'an answer that took long counts from when it was asked for',
  },
  {
    mechanism: 'A lease is taken only after its time has passed',
    file: 'libs/messaging/src/leases.ts',
    find: 'systemClock.monotonic() - known.seenAt < known.ttlMs)',
    replace: 'systemClock.monotonic() - known.seenAt < known.ttlMs / 2)',
    test: 'libs/messaging/src/leases.model.spec.ts',
  },
  {
    mechanism: 'Fences grow, also when the bucket was deleted',
    file: 'libs/messaging/src/lease-table.ts',
    find: 'return Date.parse(this.incarnation) + revision;',
    replace: 'return revision;',
    test: 'libs/messaging/test/lease-faults.int-spec.ts',
    title: 'goes to another a ttl after the bucket exists anew',
  },
];
