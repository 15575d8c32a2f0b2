import type { Mutant } from './mutant.ts';

/** Overload, owners that fail, and stopping in order. */
export const edge: readonly Mutant[] = [
  {
    mechanism: 'A token that asks too often is refused: 429',
    file: 'apps/gateway/src/edge/token-buckets.ts',
    find: 'const allowed = bucket.tokens >= 1;',
    replace: 'const allowed = bucket.tokens > -Infinity;',
    test: 'apps/gateway/src/edge/token-buckets.spec.ts',
  },
  {
    mechanism: 'More requests at a time than can be worked on are refused: 503',
    file: 'apps/gateway/src/edge/edge.interceptor.ts',
    find: 'this.running >= this.config.maxRequests',
    replace: 'this.running < 0',
    test: 'apps/gateway/test/access.int-spec.ts',
    title: 'more requests at a time than an instance can work on are refused early',
  },
  {
    mechanism: 'A refusal that passes says when to come back: Retry-After',
    file: 'apps/gateway/src/edge/problem.ts',
    find: 'if (!RETRY.has(code)) return {};',
    replace: 'if (RETRY.size > 0) return {};',
    test: 'apps/gateway/src/edge/problem.spec.ts',
  },
  {
    mechanism: 'A breaker opens for what fails again and again',
    file: 'libs/resilience/src/policy.ts',
    find: 'return this.breaker.execute(fn);',
    replace: 'return fn();',
    test: 'libs/resilience/src/policy.spec.ts',
  },
  {
    mechanism: 'Nobody waits for the one call that finds out',
    file: 'libs/resilience/src/policy.ts',
    find: 'if (this.breaker.state === CircuitState.HalfOpen) return Promise.reject(new BrokenCircuitError());',
    replace: '',
    test: 'libs/resilience/src/policy.spec.ts',
  },
  {
    mechanism: 'A bulkhead bounds what runs and waits',
    file: 'libs/resilience/src/policy.ts',
    find: 'return this.bulkhead ? this.bulkhead.execute(fn) : fn();',
    replace: 'return fn();',
    test: 'libs/resilience/src/policy.spec.ts',
  },
  {
    mechanism: 'An owner that is frozen takes up no more than its share',
    file: 'apps/gateway/src/edge/owners.ts',
    find: 'return this.guards.ask(owner, deadline, () => this.messaging.request(spec, input, { deadline }));',
    replace: 'return owner ? this.messaging.request(spec, input, { deadline }) : Promise.reject(new Error());',
    test: 'apps/gateway/test/overload.int-spec.ts',
    title: 'takes up no more than its share',
  },
  {
    mechanism: 'A dead letter is driven again once for an Idempotency-Key',
    file: 'apps/gateway/src/dead-letters/dead-letters.service.ts',
    find: 'if (key === undefined) return effect();',
    replace: 'if (key === undefined || requestHash) return effect();',
    test: 'apps/gateway/test/dead-letters.int-spec.ts',
    title: 'an Idempotency-Key on a dead letter',
  },
  {
    mechanism: 'Leases are let go of last on a stop, when all that was begun has ended',
    file: 'libs/service/src/run-service.ts',
    find: "drain.run('stop-taking'),",
    replace: "drain.run('release').then(() => drain.run('stop-taking')),",
    test: 'libs/service/test/stop.int-spec.ts',
    title: 'turns readiness off, finishes what was begun, runs the phases in order',
  },
];
