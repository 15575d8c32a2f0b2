import {
  type CheckTarget,
  checkTarget,
  type CheckTask,
  type Finding,
  type ProbedKind,
  type SettingsOf,
} from '@tocsin/contracts';
import type { Check, CheckContext } from './check.ts';
import { defect } from './failure.ts';
import { checkHttp } from './http/http.ts';
import { checkTcp } from './tcp/tcp.ts';

/** Every kind of check, one line each. */
const checks = {
  http: checkHttp,
  tcp: checkTcp,
} satisfies { [K in ProbedKind]: Check<SettingsOf<K>> };

/** A task's target as this version can check it; undefined for a kind, or settings, of another version. */
export function supported(target: CheckTask['target']): CheckTarget | undefined {
  return checkTarget.safeParse(target).data;
}

/** Runs the check of a target. It never throws, ends within the timeout and leaves nothing behind. */
export async function runCheck(target: CheckTarget, context: CheckContext): Promise<Finding> {
  try {
    return await checks[target.kind](target.settings as never, context);
  } catch (error) {
    const { reason, message } = defect(error, context);
    return { verdict: 'down', reason, message, durationMs: 0, timings: {} };
  }
}
