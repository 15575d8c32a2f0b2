import type { LinkSelector } from './links.ts';

/** A request of the control port that can't be carried out as it stands; the message says what it takes. */
export class BadRequest extends Error {}

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Reads `{"host":"nats-1"}`, `{"from":"prober-1","to":"redis"}` or, only to heal, `{}`. @throws BadRequest */
export function parseSelector(body: unknown, o: { all: boolean }): LinkSelector {
  const takes = `takes {"host":"nats-1"} or {"from":"prober-1","to":"redis"}${o.all ? ' or {} for all' : ''}`;
  const entries = Object.entries(object(body, takes));
  const keys = entries.map(([key]) => key).toSorted();
  const known = ['host', 'from,to', ...(o.all ? [''] : [])];
  if (!known.includes(keys.join(','))) throw new BadRequest(takes);
  if (entries.some(([, value]) => !isName(value))) throw new BadRequest(`${takes}; names are of a-z, 0-9 and -`);
  return Object.fromEntries(entries) as LinkSelector;
}

/** Reads `{"names":["prober-1"]}`. @throws BadRequest also when a name is none of `known` */
export function parseNames(body: unknown, known: string[]): string[] {
  const takes = 'takes {"names":["prober-1"]}, at least one name';
  const { names, ...rest } = object(body, takes) as { names?: unknown };
  if (Object.keys(rest).length > 0 || !Array.isArray(names) || names.length === 0) throw new BadRequest(takes);
  const unknown = names.filter((name) => !isName(name) || !known.includes(name));
  if (unknown.length > 0) {
    throw new BadRequest(`knows no ${unknown.map(String).join(', ').slice(0, 200)}; the names are ${known.join(', ')}`);
  }
  return names as string[];
}

function object(body: unknown, takes: string): object {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new BadRequest(takes);
  return body;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}
