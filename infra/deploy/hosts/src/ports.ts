import type { ServiceName } from '@tocsin/contracts';

/** Where each product listens, the same on every host. */
export const ports = {
  nats: { clients: 4222, routes: 6222, monitoring: 8222 },
  redis: 6379,
  sentinel: 26_379,
  postgres: 5432,
  /** The balancer's own page of figures, on loopback. */
  haproxyStats: 8404,
  services: {
    gateway: 8420,
    monitors: 8421,
    scheduler: 8422,
    prober: 8423,
    incidents: 8424,
    notifier: 8425,
    status: 8426,
  } satisfies Record<ServiceName, number>,
} as const;

export const serviceNames = Object.keys(ports.services) as ServiceName[];
