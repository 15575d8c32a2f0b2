import { channel, channelKinds, monitor, monitorKinds, originOf } from '@tocsin/contracts';

/** What a secret goes to and how it is protected on its way, by the field that says so. */
export type Destination = ReadonlyMap<string, unknown>;

interface Leading {
  leads: readonly string[];
  protects?: readonly string[];
}

const KINDS: Readonly<Record<string, Leading>> = { ...monitorKinds, ...channelKinds };
/** Members of these that say who is asking and what is judged, and not whom. */
const OWN = new Set(['smtp.username', 'smtp.password', 'tls.cert', 'tls.key', 'tls.minDaysLeft']);

/**
 * Where the secrets of a stored specification go. Fields that were left out are what they are by default, so that a
 * specification which an older version has stored is not another one.
 */
export function destinationOf(spec: unknown): Destination {
  const { kind, settings } = withDefaults(spec);
  const destination = new Map<string, unknown>([['kind', kind]]);
  const { leads, protects = [] } = KINDS[String(kind)] ?? { leads: Object.keys(settings) };
  for (const name of leads) add(destination, name, settings[name]);
  for (const name of protects) destination.set(name, settings[name] !== undefined);
  // Behind one address there may be many servers, and this header chooses one of them.
  for (const [name, value] of Object.entries(record(settings['headers']))) {
    if (name.toLowerCase() === 'host') destination.set('headers.Host', lower(value));
  }
  return destination;
}

/** The first field, in words, in which two differ; undefined where a secret may stay. */
export function differenceOf(before: Destination, after: Destination): string | undefined {
  return [...before.keys(), ...after.keys()].find((name) => before.get(name) !== after.get(name));
}

function add(destination: Map<string, unknown>, name: string, value: unknown): void {
  if (OWN.has(name) || value === undefined || (name.endsWith('.verify') && value === true)) return;
  if (name === 'url') destination.set('the origin of url', typeof value === 'string' ? originOf(value) : value);
  else if (typeof value === 'object' && value !== null) {
    for (const [member, inner] of Object.entries(value)) add(destination, `${name}.${member}`, inner);
  } else destination.set(name, /(^host|\.host|serverName)$/.test(name) ? lower(value) : value);
}

function withDefaults(spec: unknown): { kind: unknown; settings: Record<string, unknown> } {
  const parsed = STORED.map((schema) => schema.safeParse(spec)).find((one) => one.success);
  const { kind, settings } = record(parsed?.data ?? spec);
  return { kind, settings: record(settings) };
}
const STORED = [monitor.shape.spec, channel.shape.spec] as const;

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function lower(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value;
}
