export { Deadline } from './deadline.ts';
export { Policy, policy, type PolicyOptions, type RetryOptions } from './policy.ts';
export type { PolicyState } from './policy.metrics.ts';
