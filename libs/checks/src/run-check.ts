import type { CheckTarget, Finding } from '@tocsin/contracts';
import type { CheckContext } from './check.ts';
import { checkHttp } from './http/http.ts';
import { checkTcp } from './tcp/tcp.ts';

/** Every kind of check, one line each. */
const checks: { [K in CheckTarget['kind']]: (target: never, context: CheckContext) => Promise<Finding> } = {
  http: (target: Extract<CheckTarget, { kind: 'http' }>, context) => checkHttp(target.settings, context),
  tcp: (target: Extract<CheckTarget, { kind: 'tcp' }>, context) => checkTcp(target.settings, context),
};

/** Runs the check of a target. It never throws, ends within the timeout and leaves nothing behind. */
export function runCheck(target: CheckTarget, context: CheckContext): Promise<Finding> {
  return checks[target.kind](target as never, context);
}
