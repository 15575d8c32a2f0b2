import type { CheckContext } from './check.ts';

/** The named reasons a check can end with. They are stable: rules, dashboards and translations may rely on them. */
export type Reason =
  | 'ok'
  | 'dns'
  | 'target'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'closed'
  | 'protocol'
  | 'status'
  | 'redirects'
  | 'body'
  | 'assertion'
  | 'expect'
  | 'settings'
  | 'internal'
  | 'resources'
  | 'aborted';

/** Why a check failed, on its way from where it was noticed to the finding; also why `openConnection` did. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure';

  constructor(
    readonly reason: Exclude<Reason, 'ok'>,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Reasons that speak of the machine the check ran on, and not of its target. */
const OWN: ReadonlySet<string> = new Set<Reason>(['resources', 'aborted']);

/**
 * Whether a finding says nothing about the target, because the checking side itself could not carry the check out
 * (no file descriptors, no memory, stopped). Do not record it: let another prober run the check.
 */
export function isOwnFailure(finding: { reason: string }): boolean {
  return OWN.has(finding.reason);
}

const EXHAUSTED: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EAI_MEMORY']);

/** Turns an error that says that this machine is out of something into a failure that is not the target's. */
export function ownFailure(error: unknown): CheckFailure | undefined {
  const { code, address } = error as { code?: unknown; address?: unknown };
  if (EXHAUSTED.has(code)) return resources(`this prober is out of resources (${String(code)})`, error);
  // On IPv6 the same code means that the host has no such address family: that is an unreachable target.
  if (code === 'EADDRNOTAVAIL' && typeof address === 'string' && !address.includes(':')) {
    return resources('this prober has no free local port', error);
  }
  return undefined;
}

function resources(what: string, cause: unknown): CheckFailure {
  return new CheckFailure('resources', `resources: ${what}`, { cause });
}

/**
 * Turns an exception that nobody foresaw into a failure, and tells of it. It is no lack of resources: every prober has the
 * same defect, so handing the check on would only end in a missed window. Its text may repeat anything, so only its name is shown.
 */
export function defect(error: unknown, context: Pick<CheckContext, 'onDefect'>): CheckFailure {
  context.onDefect?.(error);
  const name = error instanceof Error ? error.name : typeof error;
  const message = `internal: a defect of Tocsin ended the check (${name}); the log of the prober says more`;
  return new CheckFailure('internal', message, { cause: error });
}
