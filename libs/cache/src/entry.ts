/** A cached value and when it was loaded. Times are ms since the epoch. */
export interface Entry {
  value: unknown;
  loadedAt: number;
  /** Fresh until then. */
  freshUntil: number;
  /** May be served as stale until then. */
  usableUntil: number;
  /** Length of its JSON text, as a measure of the memory it takes. */
  size: number;
}

/** What is sent to Redis: times first, so that they can be read without a schema. */
type Wire = readonly [loadedAt: number, freshUntil: number, usableUntil: number, value: unknown];

const SPREAD = 0.1;

/**
 * Makes an entry of a loaded value. Its time to live is spread by ±10 %, so that what was loaded together does not
 * expire together.
 * @returns undefined for a value that JSON cannot hold (undefined, a function)
 */
export function entryOf(loaded: unknown, nowMs: number, life: { ttlMs: number; staleMs: number }): Entry | undefined {
  const text = JSON.stringify(loaded) as string | undefined;
  if (text === undefined) return undefined;
  const freshUntil = nowMs + life.ttlMs * (1 - SPREAD + 2 * SPREAD * Math.random());
  return {
    // The same shape whether it comes from the loader or from Redis: a Date is text in both.
    value: deepFreeze(JSON.parse(text)),
    loadedAt: nowMs,
    freshUntil,
    usableUntil: freshUntil + life.staleMs,
    size: text.length,
  };
}

export function encode(entry: Entry): string {
  const wire: Wire = [entry.loadedAt, Math.round(entry.freshUntil), Math.round(entry.usableUntil), entry.value];
  return JSON.stringify(wire);
}

/** Reads what `encode` wrote; undefined for anything else. */
export function decodeEntry(text: string): Entry | undefined {
  try {
    const [loadedAt, freshUntil, usableUntil, value] = JSON.parse(text) as Wire;
    if (typeof loadedAt !== 'number' || typeof freshUntil !== 'number' || typeof usableUntil !== 'number')
      return undefined;
    return { value: deepFreeze(value), loadedAt, freshUntil, usableUntil, size: text.length };
  } catch {
    return undefined;
  }
}

/** A cached value is shared by all who read it: changing it must fail, and not change other answers. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
