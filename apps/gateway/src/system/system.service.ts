import { Inject, Injectable } from '@nestjs/common';
import { type InstanceView, requests, type SystemView } from '@tocsin/contracts';
import type { Clock } from '@tocsin/core';
import { Messaging } from '@tocsin/messaging';
import { CLOCK } from '@tocsin/service';

/** Instances answer within milliseconds; one that takes longer than this is not well, and missing says so. */
const GATHER_MS = 600;

/** How Tocsin itself is: every part that can be asked is asked, and what can't be read is named. */
@Injectable()
export class SystemService {
  constructor(
    private readonly messaging: Messaging,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async look(): Promise<SystemView> {
    const unavailable: SystemView['unavailable'] = [];
    const orNone = async <T>(part: SystemView['unavailable'][number], found: Promise<T[]>): Promise<T[]> => {
      try {
        return await found;
      } catch {
        unavailable.push(part);
        return [];
      }
    };
    const [instances, leases, queues] = await Promise.all([
      orNone('instances', this.messaging.gather(requests.systemPing, {}, { windowMs: GATHER_MS })),
      orNone('leases', this.messaging.leases.list()),
      orNone('queues', this.messaging.queues()),
    ]);
    return {
      at: this.clock.now(),
      instances: instances.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
      // An expired lease is nobody's: its holder is gone, whoever is next has not taken it yet.
      leases: leases.filter(({ expired }) => !expired).map(({ name, holder, fence }) => ({ name, holder, fence })),
      queues,
      databases: dependencies(instances, /^(database|postgres)/),
      caches: dependencies(instances, /^(cache|redis)/),
      unavailable,
    };
  }
}

function nameOf({ service, instance }: InstanceView): string {
  return `${service} ${instance}`;
}

/** What the health checks of every instance say of one kind of server. */
function dependencies(instances: readonly InstanceView[], kind: RegExp): SystemView['databases'] {
  return instances.flatMap(({ service, instance, health }) =>
    Object.entries(health)
      .filter(([name]) => kind.test(name))
      .map(([dependency, { ok, role, latencyMs }]) => ({
        service,
        instance,
        dependency,
        ok,
        ...(typeof role === 'string' ? { role } : {}),
        ...(typeof latencyMs === 'number' ? { latencyMs } : {}),
      })),
  );
}
