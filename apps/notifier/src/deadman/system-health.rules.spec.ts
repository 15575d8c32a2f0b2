import { type InstanceView, serviceNames, streams } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { missingParts, type SystemView } from './system-health.rules.ts';

function instance(service: string, over: Partial<InstanceView> = {}): InstanceView {
  const health = {
    ...(service === 'scheduler' ? { schedule: { ok: true, shards: [0, 1], of: 2 } } : {}),
    ...(service === 'incidents' ? { road: { ok: true } } : {}),
  };
  return { service, instance: `${service}-1`, version: '1', pid: 1, startedAt: 0, ready: true, health, ...over };
}

const depth = (durable: string, pending: number, ackPending = 0) => ({ durable, pending, ackPending, redelivered: 0 });

function aView(over: Partial<SystemView> = {}, ...replaced: InstanceView[]): SystemView {
  const kept = serviceNames.filter((service) => !replaced.some((one) => one.service === service));
  const queues = Object.values(streams).map(({ name }) => ({ stream: name, consumers: [depth(`of ${name}`, 10)] }));
  const instances = [...kept.map((service) => instance(service)), ...replaced];
  return { instances, queues, recordTakesWrites: true, ...over };
}

describe('Tocsin is healthy', () => {
  it('when every service, shard, queue and the record are there', () => {
    expect(missingParts(aView())).toEqual([]);
  });

  it.each(serviceNames)('not without a ready %s', (service) => {
    expect(missingParts(aView({}, instance(service, { ready: false })))).toContain(`service ${service}`);
    const two = [instance(service, { ready: false }), instance(service)];
    expect(missingParts(aView({}, ...two))).toEqual([]);
  });

  it('not while no scheduler holds one of the shards, though others are held', () => {
    const holding = (shards: number[]) => instance('scheduler', { health: { schedule: { ok: true, shards, of: 4 } } });
    expect(missingParts(aView({}, holding([0]), holding([2])))).toEqual(['shards 1, 3']);
    expect(missingParts(aView({}, holding([0, 1]), holding([2, 3])))).toEqual([]);
    const dying = { ...holding([2, 3]), ready: false };
    expect(missingParts(aView({}, holding([0, 1]), dying))).toEqual(['shards 2, 3']);
  });

  it('not while no incidents has an open road with fresh results', () => {
    const closed = instance('incidents', { health: { road: { ok: false } } });
    expect(missingParts(aView({}, closed))).toEqual(['road']);
    expect(missingParts(aView({}, closed, instance('incidents')))).toEqual([]);
  });

  it('not with a backlog', () => {
    const queues = aView().queues!.map(({ stream }) => ({
      stream,
      consumers: [depth('incidents-results', 4_000, 1_001)],
    }));
    expect(missingParts(aView({ queues: queues.slice(0, 1) }))).toContain('queue incidents-results');
    const most = queues.map(({ stream }) => ({ stream, consumers: [depth('incidents-results', 4_000, 1_000)] }));
    expect(missingParts(aView({ queues: most }))).toEqual([]);
  });

  it('not without one of its streams', () => {
    const queues = aView().queues!.filter(({ stream }) => stream !== 'EVENTS');
    expect(missingParts(aView({ queues }))).toEqual(['stream EVENTS']);
  });

  it('not when nobody can be asked, or when the record takes no write', () => {
    expect(missingParts(aView({ instances: undefined, queues: undefined }))).toEqual(['broker']);
    expect(missingParts(aView({ recordTakesWrites: false }))).toEqual(['record']);
  });
});
