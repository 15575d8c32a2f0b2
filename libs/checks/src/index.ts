export type { Check, CheckContext } from './check.ts';
export { checkSettings } from './check-settings.ts';
export { isOwnFailure, type Reason } from './failure.ts';
export { runCheck } from './run-check.ts';
