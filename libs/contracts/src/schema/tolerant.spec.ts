import { newId } from '@tocsin/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { channel, channelConfig, channelSpec } from '../notifications/channel.ts';
import { checkTarget, checkTask } from '../monitoring/check.ts';
import { commands } from '../wire/commands.ts';
import { incidentEvent, monitorEvent, stateEvent } from '../incidents/incident.ts';
import { anyMonitor, isProbed, monitor, monitorConfig, monitorSpec } from '../monitoring/monitor.ts';
import { heartbeatOf } from '../monitoring/kinds/heartbeat.ts';
import { httpSettings } from '../monitoring/kinds/http/http.ts';
import { requests } from '../wire/requests.ts';
import { checkTaskOf } from '../monitoring/task.ts';
import { tolerant } from './tolerant.ts';
import { consumers } from '../wire/topology.ts';

const spec = monitorSpec.parse({
  kind: 'http',
  name: 'shop',
  settings: {
    url: 'https://shop.example/',
    auth: { type: 'basic', username: 'u', password: 'p' },
    assertions: [{ type: 'body', op: 'contains', value: 'ok' }],
    tls: { verify: true },
  },
});
const record = { id: newId(), revision: 1, createdAt: 1, updatedAt: 1 };
const ofNow = { ...record, gridSince: 1, spec };

/** The same with a field that is not known, in every object of it. */
function fromTheFuture(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromTheFuture);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, field]) => [key, fromTheFuture(field)]);
  return { ...Object.fromEntries(fields), addedLater: { any: 'thing' } };
}

/** As `fromTheFuture`, but for the headers, whose names are anyone's. */
function monitorFromTheFuture(): unknown {
  const later = fromTheFuture(ofNow) as { spec: { settings: { headers: object } } };
  later.spec.settings.headers = {};
  return later;
}

/** The paths of all objects in a schema that refuse fields they do not know. */
function strictIn(schema: z.ZodType, path: string): string[] {
  const inside = (child: unknown, step: string) => strictIn(child as z.ZodType, `${path}${step}`);
  if (schema instanceof z.ZodObject) {
    const own = schema.def.catchall instanceof z.ZodNever ? [path] : [];
    return [...own, ...Object.entries(schema.shape).flatMap(([key, field]) => inside(field, `.${key}`))];
  }
  if (schema instanceof z.ZodArray) return inside(schema.element, '[]');
  if (schema instanceof z.ZodRecord) return inside(schema.valueType, '{}');
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option, i) => inside(option, `|${i}`));
  if ('innerType' in schema.def) return inside(schema.def.innerType, '');
  return [];
}

describe('what services tell each other', () => {
  const told: [string, z.ZodType][] = [
    ...Object.entries(requests).map(([name, { output }]): [string, z.ZodType] => [`answer of ${name}`, output]),
    ...Object.entries(commands).map(([name, { output }]): [string, z.ZodType] => [`result of ${name}`, output]),
    ...Object.entries(consumers).map(([name, { schema }]): [string, z.ZodType] => [`message for ${name}`, schema]),
    ...Object.entries({ stateEvent, monitorEvent, incidentEvent, monitorConfig, channelConfig }),
  ];

  it.each(told)('%s may have fields that a reader does not know, however deep', (name, schema) => {
    expect(strictIn(schema, name)).toEqual([]);
  });

  it('a monitor of the next version is read without what this one does not know', () => {
    const later = monitorFromTheFuture() as typeof ofNow;
    expect(monitor.parse(later)).toEqual(ofNow);
    // Settings are for the owner and for whoever runs it.
    expect(monitorConfig.parse(later)).toEqual({ ...ofNow, spec: { ...spec, settings: later.spec.settings } });
  });

  it('a monitor that an earlier version took, and this one would refuse, is read as it is', () => {
    const settings = { ...spec.settings, acceptedStatus: ['100-299', '101'] };
    const earlier = { ...ofNow, spec: { ...spec, settings } };
    expect(monitor.parse(earlier)).toEqual(earlier);
    const task = checkTaskOf(earlier as typeof ofNow, { window: 7, location: 'default', attempt: 0 })!;
    expect(checkTarget.parse(checkTask.parse(task).target)).toEqual({ kind: 'http', settings });
    expect(monitorSpec.safeParse(earlier.spec).success).toBe(false);
  });

  it('so is a channel, and a tombstone', () => {
    const webhook = { ...record, spec: { kind: 'webhook', name: 'w', settings: { url: 'https://a.example/' } } };
    expect(channel.parse(fromTheFuture(webhook))).toEqual(webhook);
    const gone = { id: record.id, revision: 2, deleted: true };
    expect(channelConfig.parse(fromTheFuture(gone))).toEqual(gone);
    expect(monitorConfig.parse(fromTheFuture(gone))).toEqual(gone);
  });

  it('so is a check task, down to its settings', () => {
    const task = checkTaskOf(ofNow, { window: 7, location: 'default', attempt: 0 })!;
    const later = fromTheFuture(task) as { target: { settings: { headers: object } } };
    later.target.settings.headers = {};
    const read = checkTask.parse(later);
    expect({ ...read, target: checkTarget.parse(read.target) }).toEqual(task);
  });

  const later = {
    ...ofNow,
    spec: { ...spec, kind: 'icmp', interval: '30s', locations: ['a', 'b'], settings: { host: 'h', packets: 3 } },
  };

  it('a monitor of a kind that is not known is read whole, and checked on its grid all the same', () => {
    const read = anyMonitor.parse(later);
    expect(read).toEqual(later);
    expect(monitorConfig.parse(later)).toEqual(later);
    expect(isProbed(read.spec)).toBe(true);
    const task = checkTaskOf(read, { window: 7, location: 'b', attempt: 0 });
    expect(task).toMatchObject({ intervalMs: 30_000, target: { kind: 'icmp', settings: { host: 'h', packets: 3 } } });
    expect(checkTask.parse(task)).toEqual(task);
    expect(checkTarget.safeParse(task?.target).success).toBe(false);
  });

  it('so is one with settings that are not known, for whoever does not run it', () => {
    const auth = { type: 'mutual', certificate: 'sealed:x' };
    const other = { ...ofNow, spec: { ...spec, settings: { ...spec.settings, auth } } };
    expect(anyMonitor.parse(other)).toEqual(other);
    expect(monitor.safeParse(other).success).toBe(false);
  });

  it('nobody checks one without an interval, whatever its kind', () => {
    const read = anyMonitor.parse({ ...later, spec: { kind: 'icmp', name: 'later', settings: { host: 'h' } } });
    expect(isProbed(read.spec)).toBe(false);
    expect(checkTaskOf(read, { window: 7, location: 'b', attempt: 0 })).toBeUndefined();
    expect(heartbeatOf(read.spec)).toBeUndefined();
  });

  it('a grid is checked whatever the kind', () => {
    const bad = (over: object) => anyMonitor.safeParse({ ...later, spec: { ...later.spec, ...over } }).success;
    expect([{ interval: 'soon' }, { quorum: 5 }, { locations: [] }, { kind: '' }].map(bad)).not.toContain(true);
  });

  it('a heartbeat is known by its schedule', () => {
    const heartbeat = (schedule: object) => {
      const { name } = spec;
      return heartbeatOf(
        anyMonitor.parse({ ...ofNow, spec: { kind: 'heartbeat', name, settings: { schedule } } }).spec,
      );
    };
    expect(heartbeat({ every: '5m', addedLater: 1 })).toEqual({ schedule: { every: '5m' }, grace: '1m' });
    expect(heartbeat({ rrule: 'FREQ=DAILY' })).toBeUndefined();
  });

  it('what they know is checked as at the door', () => {
    const later = monitorFromTheFuture() as { spec: { settings: Record<string, unknown>; quorum: number } };
    later.spec.settings['url'] = 'ftp://shop.example/';
    expect(monitor.safeParse(later).error?.issues.map(({ path }) => path.join('.'))).toEqual(['spec.settings.url']);
    const disagrees = { ...ofNow, spec: { ...spec, quorum: 5 } };
    expect(monitor.safeParse(disagrees).error?.issues.map(({ path }) => path.join('.'))).toEqual(['spec.quorum']);
  });
});

describe('what a person sends', () => {
  it('may not have fields that are not known', () => {
    expect(monitorSpec.safeParse(fromTheFuture(spec)).success).toBe(false);
    const webhook = { kind: 'webhook', name: 'w', settings: { url: 'https://a.example/' } };
    expect(channelSpec.safeParse(fromTheFuture(webhook)).success).toBe(false);
  });
});

describe('tolerant', () => {
  it('gives the same variant for the same schema', () => {
    expect(tolerant(httpSettings)).toBe(tolerant(httpSettings));
    expect(tolerant(tolerant(httpSettings)).safeParse({ url: 'http://a.example/', later: 1 }).success).toBe(true);
  });

  it('leaves an object that passes unknown fields on as it is', () => {
    expect(tolerant(z.looseObject({ a: z.number() })).parse({ a: 1, b: 2 })).toEqual({ a: 1, b: 2 });
  });

  it('keeps defaults, descriptions and refinements', () => {
    const inner = z
      .strictObject({ n: z.number().default(3) })
      .optional()
      .meta({ description: 'of n' });
    const schema = z.strictObject({ inner }).refine(({ inner: of }) => of?.n !== 4, { error: 'not four' });
    const variant = tolerant(schema);
    expect(variant.parse({ inner: { later: 1 } })).toEqual({ inner: { n: 3 } });
    expect(variant.safeParse({ inner: { n: 4 }, later: 1 }).error?.issues[0]?.message).toBe('not four');
    expect(z.globalRegistry.get(variant.shape.inner)).toEqual({ description: 'of n' });
  });
});
