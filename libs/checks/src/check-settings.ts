import type { MonitorKind, MonitorSpec, SettingsOf } from '@tocsin/contracts';
import type { FieldError } from '@tocsin/core';
import { heartbeatFaults } from './heartbeat/settings.ts';
import { httpFaults } from './http/settings.ts';
import { tcpFaults } from './tcp/settings.ts';

/** What no schema can say of the settings of each kind, with paths into them. */
const faults = {
  http: httpFaults,
  tcp: tcpFaults,
  heartbeat: heartbeatFaults,
} satisfies { [K in MonitorKind]: (settings: SettingsOf<K>) => Iterable<FieldError> };

/**
 * What a schema cannot say about a monitor's settings: that its expressions compile, and that its fields go together.
 * @returns one error per field, empty when all is well; paths are JSON pointers (RFC 6901) into the specification
 */
export function checkSettings({ kind, settings }: MonitorSpec): FieldError[] {
  return [...faults[kind](settings as never)].map(({ path, message }) => ({ path: `/settings${path}`, message }));
}
