import { type Clock, sleep } from '@tocsin/core';
import type { Entry } from './entry.ts';
import type { Seen, Shared } from './shared.ts';

/** What came of waiting for a turn: another instance has loaded it, or it is ours to load. */
export type Turn = { entry: Entry } | { seen: Seen | undefined; end: () => void };

/** Whose turn it is. */
export interface Wanted {
  key: string;
  tags: readonly string[];
  /** What Redis held when it was found missing; undefined if Redis is away, and then nobody waits. */
  seen: Seen | undefined;
  /** Longest time of the load, waiting included, in ms. */
  timeoutMs: number;
}

/** A turn runs out after this: an instance that died holding it keeps the others waiting no longer. */
const LONGEST_MS = 500;
const FIRST_LOOK_MS = 8;
const MAX_LOOK_MS = 80;

/**
 * Waits until this instance may load a key, or until another one has loaded it: of all instances that miss it at the
 * same time one loads. The wait is bounded by two turns and by half the time of the load; after it, and whenever Redis is
 * away, this instance loads whoever else does. Never throws.
 */
export async function takeTurn(shared: Shared, clock: Clock, wanted: Wanted): Promise<Turn> {
  const { key, tags, timeoutMs } = wanted;
  const turnMs = Math.ceil(Math.min(LONGEST_MS, timeoutMs / 4));
  const until = clock.monotonic() + 2 * turnMs;
  let { seen } = wanted;
  for (let lookMs = FIRST_LOOK_MS; seen !== undefined; lookMs = Math.min(MAX_LOOK_MS, 2 * lookMs)) {
    const end = await shared.claim(key, seen, turnMs);
    if (end !== undefined || clock.monotonic() >= until) return { seen, end: end ?? noop };
    // Spread, so that those who wait do not ask all together.
    await sleep(lookMs * (0.75 + Math.random() / 2));
    const reading = await shared.read(key, tags);
    if (reading.entry !== undefined && clock.now() < reading.entry.freshUntil) return { entry: reading.entry };
    ({ seen } = reading);
  }
  return { seen, end: noop };
}

function noop(): void {}
