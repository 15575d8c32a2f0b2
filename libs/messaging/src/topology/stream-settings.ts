import type { StreamConfig } from '@nats-io/jetstream';

/** The configuration that a stream should have. A setting that is `undefined` is one that it must not have. */
export type DesiredConfig = Readonly<Record<string, unknown>>;

/** A setting that is not as the contract says. */
export interface SettingDifference {
  setting: string;
  found: unknown;
  desired: unknown;
}

/**
 * Settings that let messages in or out past everybody's rights. No version of the contract has any of them, so Tocsin cannot
 * have set them.
 */
const FORBIDDEN = ['republish', 'sources', 'mirror', 'subject_transform'] as const;

/** The metadata key under which a stream records the contract that configured it. */
export const STAMP_KEY = 'tocsin.contract';

/** Settings that the contract never changes. `sealed` and `deny_…` are left out, because nobody can take them back. */
const DEFAULTS: DesiredConfig = {
  no_ack: false,
  discard_new_per_subject: false,
  max_msgs: -1,
  max_msg_size: -1,
  max_consumers: -1,
};

/** A stream's whole configuration: the settings of the contract, the defaults, and no forbidden setting. */
export function withDefaults(of: DesiredConfig): DesiredConfig {
  return { ...DEFAULTS, ...of, ...Object.fromEntries(FORBIDDEN.map((setting) => [setting, undefined])) };
}

/**
 * The settings in which a stream differs from its desired configuration.
 * @param which `forbidden`: only the settings that no version has. While two versions run side by side, each leaves the other
 *   settings to the version that stamped the stream
 */
export function differencesOf(
  found: StreamConfig,
  desired: DesiredConfig,
  which: 'all' | 'forbidden',
): SettingDifference[] {
  const has = found as unknown as Record<string, unknown>;
  const settings = which === 'all' ? Object.keys(desired) : FORBIDDEN;
  return settings
    .filter((setting) => canonical(has[setting]) !== canonical(desired[setting]))
    .map((setting) => ({ setting, found: has[setting], desired: desired[setting] }));
}

export function isForbidden(setting: string): boolean {
  return (FORBIDDEN as readonly string[]).includes(setting);
}

/** The broker may report an unset setting or leave it out: both mean the same. */
function canonical(value: unknown): string | undefined {
  const unset =
    value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);
  return unset ? undefined : JSON.stringify(value);
}
