import { TocsinError } from '@tocsin/core';

const DEEPEST = 32;

/**
 * Applies a JSON Merge Patch (RFC 7396): members of `patch` replace those of `target`, null removes them, objects are
 * merged, everything else (lists too) is replaced whole. Neither argument is changed.
 * @throws TocsinError `too_large` when the patch is nested deeper than any specification is
 */
export function mergePatch(target: unknown, patch: unknown, depth = 0): unknown {
  if (!isObject(patch)) return patch;
  if (depth >= DEEPEST) throw new TocsinError('too_large', `The patch is nested deeper than ${DEEPEST} levels.`);
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value, depth + 1));
  }
  // fromEntries defines own members, so a member named __proto__ stays an ordinary one, for the schema to refuse.
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
