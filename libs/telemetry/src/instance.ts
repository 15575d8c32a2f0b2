import { randomBytes } from 'node:crypto';
import manifest from '../package.json' with { type: 'json' };

/** Who this process is, as it says in every log line, span, metric and system report. */
export interface Instance {
  readonly service: string;
  readonly id: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

const current = { service: 'tocsin', id: 'tocsin', version: manifest.version, startedAt: Date.now() };

/** Set once by `startTelemetry`; before that it holds place-holders. */
export const instance: Instance = current;

/** Names this process: `<service>-<random>` unless TOCSIN_INSTANCE says otherwise. */
export function nameInstance(service: string, env: NodeJS.ProcessEnv): void {
  current.service = service;
  current.id = env['TOCSIN_INSTANCE'] || `${service}-${randomBytes(3).toString('hex')}`;
  current.startedAt = Date.now();
}
