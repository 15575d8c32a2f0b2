import { isSealed } from '@tocsin/core';
import { z } from 'zod';
import { channelKinds } from '../notifications/channels/kinds.ts';
import { HIDDEN } from './fields.ts';
import { laidOver, type Mark, type Marked, markedFields, markOf } from './marks.ts';
import { monitorKinds } from '../monitoring/kinds/kinds.ts';

/** Where secrets are in monitors and channels, as their schemas say, so that one place seals, hides and keeps them. */

/** Headers that hold credentials by their own definition (RFC 9110, 6265) or by wide custom, said or not. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'apikey',
  'x-auth-token',
  'x-access-token',
  'private-token',
]);

/** Whether a request header is secret whether or not its monitor says so. */
export function isCredentialHeader(name: string): boolean {
  return CREDENTIALS.has(name.toLowerCase());
}

/** A marked field that was met. */
export interface Met {
  value: string;
  /** Where in `settings`. */
  path: readonly string[];
  mark: Mark;
  /** What it must be in plain. */
  schema: z.ZodType;
}

/**
 * A copy of a specification, or of a patch of one, with the text of each marked field in its `settings` replaced. A header
 * is met when it is secret, and becomes plain text in the copy, as it is kept: what is sealed is secret.
 * @param fn what it throws is thrown
 * @param o.headers `said`: secret headers are written with `secret: true`, as people write them
 */
export function mapMarked<T>(spec: T, fn: (met: Met) => string, o: { headers?: 'said' } = {}): T {
  if (!isRecord(spec) || !isRecord(spec['settings'])) return spec;
  const fields = (byKind.get(spec['kind']) ?? ofMonitors)?.fields.get('settings');
  const change = { fn, said: o.headers === 'said' };
  return fields ? ({ ...spec, settings: walk(spec['settings'], fields, [], change) } as T) : spec;
}

interface Change {
  fn: (met: Met) => string;
  said: boolean;
}

/** The same for secrets alone. Where they are addresses, `mark` says so. */
export function mapSecrets<T>(spec: T, fn: (met: Met) => string): T {
  return mapMarked(spec, (met) => (met.mark === 'text' || met.mark === 'query' ? met.value : fn(met)));
}

/** Whether a specification is of a kind that this version does not know, so that nothing says where its secrets are. */
export function isOfUnknownKind(spec: unknown): boolean {
  return isRecord(spec) && spec['kind'] !== undefined && !byKind.has(spec['kind']);
}

/** The marked fields of every kind. */
const byKind: ReadonlyMap<unknown, Marked | undefined> = new Map(
  Object.entries({ ...monitorKinds, ...channelKinds }).map(([kind, { spec }]) => [kind, markedFields(spec, markOf)]),
);
/** A patch does not name its kind: it may hold the fields of any kind of monitor. */
const ofMonitors = Object.keys(monitorKinds)
  .map((kind) => byKind.get(kind))
  .reduce((a, b) => (a && b ? laidOver(a, b) : (a ?? b)), undefined);

function walk(node: unknown, at: Marked, path: readonly string[], change: Change): unknown {
  if (at.mark === 'headers') return isRecord(node) ? headers(node, at, path, change) : node;
  if (at.mark !== undefined) {
    return typeof node === 'string' ? change.fn({ value: node, path, mark: at.mark, schema: at.schema }) : node;
  }
  if (Array.isArray(node)) {
    const each = at.fields.get('*');
    return each ? node.map((value, index) => walk(value, each, [...path, String(index)], change)) : (node as unknown);
  }
  if (!isRecord(node)) return node;
  // fromEntries defines own members, so one named __proto__ stays for the schema to refuse.
  return Object.fromEntries(
    Object.entries(node).map(([name, value]) => {
      const below = at.fields.get(name) ?? at.fields.get('*');
      return [name, below ? walk(value, below, [...path, name], change) : value];
    }),
  );
}

function headers(
  node: Record<string, unknown>,
  { schema: record, mark }: Marked,
  path: readonly string[],
  change: Change,
): unknown {
  const schema = (record instanceof z.ZodRecord ? record.def.valueType : record) as z.ZodType;
  return Object.fromEntries(
    Object.entries(node).map(([name, given]) => {
      const said = isRecord(given) && given['secret'] === true && Object.keys(given).length === 2;
      const value = said ? given['value'] : given;
      if (typeof value !== 'string') return [name, given];
      if (!said && !isCredentialHeader(name) && !isSealed(value) && value !== HIDDEN) return [name, value];
      const result = change.fn({ value, path: [...path, name], mark: mark!, schema });
      // Plain, what stands for a secret would be the header's text to whoever tells secrets by their names alone.
      const says = change.said || (said && result === HIDDEN);
      return [name, says && !isCredentialHeader(name) ? { value: result, secret: true } : result];
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
