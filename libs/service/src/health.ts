import { instance, redactText } from '@tocsin/telemetry';
import { systemClock, within } from '@tocsin/core';

/** What a check of a dependency found; when that is not usable it throws, or says `ok: false` with details to show. */
export type HealthCheck = () => Promise<{ ok?: boolean; latencyMs?: number; [detail: string]: unknown }>;

export interface DependencyHealth {
  ok: boolean;
  /** Whether the service is not ready without it. */
  required: boolean;
  latencyMs?: number;
  error?: string;
  [detail: string]: unknown;
}

export interface HealthReport {
  status: 'ready' | 'not_ready';
  /** Why it is not ready, in words. */
  reason?: string;
  service: string;
  instance: string;
  version: string;
  pid: number;
  startedAt: number;
  dependencies: Record<string, DependencyHealth>;
}

const CHECK_BOUND_MS = 1_000;
const REPORT_AGE_MS = 250;

/** Knows what the service depends on and how that is; says whether the service can do its work. */
export class Health {
  private readonly checks = new Map<string, { check: HealthCheck; required: boolean }>();
  private last: { at: number; report: Promise<HealthReport> } | undefined;
  private stage: 'starting' | 'running' | 'draining' = 'starting';

  /** Adds a dependency. When it is `required` (the default), the service is ready only while its check succeeds. */
  add(name: string, check: HealthCheck, options: { required?: boolean } = {}): void {
    this.checks.set(name, { check, required: options.required ?? true });
    this.last = undefined;
  }

  /** Moves on to the next stage; only `running` can be ready. */
  become(stage: 'running' | 'draining'): void {
    this.stage = stage;
    this.last = undefined;
  }

  get draining(): boolean {
    return this.stage === 'draining';
  }

  /** Every dependency with its latency. Each check is bounded to 1 s; answers are shared for a quarter of a second. */
  report(): Promise<HealthReport> {
    const now = systemClock.monotonic();
    if (!this.last || now - this.last.at > REPORT_AGE_MS) this.last = { at: now, report: this.examine() };
    return this.last.report;
  }

  private async examine(): Promise<HealthReport> {
    const entries = await Promise.all(
      [...this.checks].map(async ([name, { check, required }]) => [name, await examineOne(check, required)] as const),
    );
    const reason = this.reasonFor(entries);
    return {
      status: reason === undefined ? 'ready' : 'not_ready',
      ...(reason === undefined ? {} : { reason }),
      service: instance.service,
      instance: instance.id,
      version: instance.version,
      pid: process.pid,
      startedAt: instance.startedAt,
      dependencies: Object.fromEntries(entries),
    };
  }

  private reasonFor(entries: readonly (readonly [string, DependencyHealth])[]): string | undefined {
    if (this.stage === 'draining') return 'stopping';
    const missing = entries.filter(([, { ok, required }]) => required && !ok).map(([name]) => name);
    if (missing.length > 0) return `waiting for ${missing.join(', ')}`;
    return this.stage === 'starting' ? 'starting' : undefined;
  }
}

async function examineOne(check: HealthCheck, required: boolean): Promise<DependencyHealth> {
  const startedAt = systemClock.monotonic();
  try {
    const found = await within(check(), CHECK_BOUND_MS, () => {
      throw new Error(`no answer within ${CHECK_BOUND_MS} ms`);
    });
    return { latencyMs: rounded(systemClock.monotonic() - startedAt), ...found, ok: found.ok !== false, required };
  } catch (error) {
    return { ok: false, required, error: redactText(error instanceof Error ? error.message : String(error)) };
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
