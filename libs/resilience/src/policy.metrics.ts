import { metrics } from '@opentelemetry/api';

export type PolicyState = 'closed' | 'open' | 'half-open';

interface Observed {
  readonly name: string;
  state(): PolicyState;
}

const VALUES: Record<PolicyState, number> = { closed: 0, 'half-open': 1, open: 2 };

/** Policies can be made per channel or target, so the number that is exported has a bound. */
const MOST_OBSERVED = 500;

const observed = new Map<string, Observed>();
const meter = metrics.getMeter('tocsin');
const calls = meter.createCounter('tocsin_policy_calls_total', { description: 'Calls through a policy, by outcome' });

meter
  .createObservableGauge('tocsin_policy_state', {
    description: 'State of a circuit breaker: 0 closed, 1 half-open, 2 open',
  })
  .addCallback((result) => {
    for (const policy of observed.values()) result.observe(VALUES[policy.state()], { policy: policy.name });
  });

/** Exports the policy's state; a later policy of the same name takes its place, the oldest makes room. */
export function observe(policy: Observed): void {
  observed.delete(policy.name);
  observed.set(policy.name, policy);
  const [oldest] = observed.keys();
  if (observed.size > MOST_OBSERVED && oldest !== undefined) observed.delete(oldest);
}

export function recordOutcome(policy: string, outcome: string): void {
  calls.add(1, { policy, outcome });
}
