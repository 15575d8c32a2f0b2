import { type ServiceName, serviceNames, services } from '@tocsin/contracts';

/** Where each product listens, the same on every host. */
export const ports = {
  nats: { clients: 4222, routes: 6222, monitoring: 8222 },
  redis: 6379,
  sentinel: 26_379,
  postgres: 5432,
  /** The balancer's own page of figures, on loopback. */
  haproxyStats: 8404,
  services: Object.fromEntries(serviceNames.map((name) => [name, services[name].port])) as Record<ServiceName, number>,
} as const;
