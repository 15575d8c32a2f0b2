/**
 * What each sub-service does at the broker, beside what follows from its consumers and commands. The broker enforces it:
 * see `permissions.ts`.
 */
export interface Rights {
  /** Subjects of streams that it publishes to. */
  publishes: readonly string[];
  /** Subjects of questions that it answers. */
  serves: readonly string[];
  /** Subjects of questions that it asks. */
  asks: readonly string[];
  /** Questions that it asks every instance of everybody. */
  gathers: readonly string[];
  /** Streams that it follows without taking anything from them. */
  follows: readonly string[];
  /** Buckets whose values it reads and writes. */
  keeps: readonly string[];
  /** Whether it creates and changes streams and buckets; one service alone does. */
  keepsStreams: boolean;
  /** Whether its instances share a cache in Redis. */
  caches: boolean;
  /** Which leases it takes: the beginning of their names. */
  leases: readonly string[];
  /** What is for whoever looks after the whole: how full the queues are, what the dead letters hold. */
  oversees: 'nothing' | 'queues' | 'queues and dead letters';
}

const NONE: Rights = {
  publishes: [],
  serves: [],
  asks: [],
  gathers: [],
  follows: [],
  keeps: [],
  keepsStreams: false,
  caches: false,
  leases: [],
  oversees: 'nothing',
};

export const rights = {
  gateway: {
    ...NONE,
    // Beside heartbeats and commands, whatever a dead letter was: it is driven again on behalf of an admin.
    publishes: ['heartbeats.>', 'commands.>', 'checks.>', 'results.>', 'config.>', 'events.>'],
    asks: ['monitors.>', 'status.>', 'operations.>', 'changes.>'],
    gathers: ['system.ping'],
    follows: ['EVENTS'],
    keeps: ['operations'],
    caches: true,
    oversees: 'queues and dead letters',
  },
  monitors: {
    ...NONE,
    // A check that a person asks for goes straight to the probers.
    publishes: ['config.>', 'events.monitors.>', 'events.tokens.>', 'checks.>'],
    serves: ['monitors.>'],
    follows: ['CONFIG', 'EVENTS'],
    keepsStreams: true,
    caches: true,
  },
  scheduler: {
    ...NONE,
    publishes: ['checks.>'],
    follows: ['CONFIG'],
    keeps: ['watermarks'],
    leases: ['scheduler'],
  },
  prober: { ...NONE, publishes: ['results.>'] },
  incidents: {
    ...NONE,
    // A first failure is confirmed by a check that it asks for itself.
    publishes: ['checks.>', 'events.incidents.>', 'events.states.>'],
    asks: ['notifier.>'],
    follows: ['CONFIG'],
    // Whether the road is clear decides what silence means.
    oversees: 'queues',
  },
  notifier: {
    ...NONE,
    publishes: ['events.notifications.>'],
    serves: ['notifier.>'],
    // Whether a channel that has not arrived yet is one.
    asks: ['monitors.channels.get'],
    follows: ['CONFIG'],
    gathers: ['system.ping'],
    leases: ['notifier'],
    // The dead man's switch tells whether Tocsin is whole.
    oversees: 'queues',
  },
  status: { ...NONE, serves: ['status.>'], follows: ['EVENTS'], caches: true },
} as const satisfies Record<string, Rights>;

export type ServiceName = keyof typeof rights;
