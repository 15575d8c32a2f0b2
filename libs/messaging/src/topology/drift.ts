import type { StreamConfig } from '@nats-io/jetstream';

/** What a stream is to be; a setting that is `undefined` is one that it must not have. */
export type WantedConfig = Readonly<Record<string, unknown>>;

/** A setting that is not as the contract says. */
export interface Drift {
  setting: string;
  found: unknown;
  wanted: unknown;
}

/**
 * Settings that let messages in or out past everybody's rights. No version of the contract has any, so whoever set one
 * was not Tocsin.
 */
export const ALIEN = ['republish', 'sources', 'mirror', 'subject_transform'] as const;

/** Where a stream notes which contract made it what it is. */
export const STAMP = 'tocsin.contract';

/** What no stream of the contract has or does, beside what is alien, and what nobody can take back (`sealed`, `deny_…`). */
const PLAIN: WantedConfig = {
  no_ack: false,
  discard_new_per_subject: false,
  max_msgs: -1,
  max_msg_size: -1,
  max_consumers: -1,
};

/** A stream's configuration in full: what the contract says of it, and what it thereby does not have. */
export function inFull(of: WantedConfig): WantedConfig {
  return { ...PLAIN, ...of, ...Object.fromEntries(ALIEN.map((setting) => [setting, undefined])) };
}

/**
 * How a stream differs from what is wanted.
 * @param which `alien`: only what no version has. While two versions run side by side each leaves the rest to whoever
 *   stamped the stream.
 */
export function driftOf(found: StreamConfig, wanted: WantedConfig, which: 'all' | 'alien'): Drift[] {
  const has = found as unknown as Record<string, unknown>;
  const settings = which === 'all' ? Object.keys(wanted) : ALIEN;
  return settings
    .filter((setting) => plain(has[setting]) !== plain(wanted[setting]))
    .map((setting) => ({ setting, found: has[setting], wanted: wanted[setting] }));
}

export function isAlien(setting: string): boolean {
  return (ALIEN as readonly string[]).includes(setting);
}

/** The broker leaves out what is not set, or says it: both mean the same. */
function plain(value: unknown): string | undefined {
  const unset =
    value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);
  return unset ? undefined : JSON.stringify(value);
}
