import { pointer } from '@tocsin/contracts';

/**
 * JSON Pointers of what differs between two specifications: of members that are on one side alone or hold another value.
 * A list counts as one value. A secret that was sent anew counts as another one, since it is sealed anew.
 */
export function changedFields(before: unknown, after: unknown, under: readonly string[] = []): string[] {
  if (!isObject(before) || !isObject(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [pointer(under)];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].toSorted().flatMap((name) => changedFields(before[name], after[name], [...under, name]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
