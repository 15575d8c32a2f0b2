import { randomUUID } from 'node:crypto';
import type { ApiOutcome, ApiRequest } from './gateway-client.ts';
import { type Knowledge, knowledge, type Ledger } from './ledger.ts';

/** One thing that a client does. */
export interface Errand {
  kind: string;
  request: ApiRequest;
  /** Sent to both gateways at the same time, as an impatient client does. */
  twice?: true;
  /** What became of a write: called once per answer, with what is known in the end. */
  settle?: (known: Knowledge['known'], outcome: ApiOutcome) => void;
}

/** Channels that the load keeps at most: over it, the oldest are deleted. */
const MOST_CHANNELS = 50;
/** Nobody sends to the load's channels. */
const NOWHERE = 'http://127.0.0.1:9/';

/** How often each errand is run, of 100. */
const SHARES: readonly [kind: keyof ApiMix, share: number][] = [
  ['summary', 20],
  ['states', 20],
  ['monitor', 15],
  ['incidents', 15],
  ['uptime', 10],
  ['create', 9],
  ['rename', 6],
  ['remove', 5],
];

/** What the clients do: reads of every kind, and writes of which each can be found again. */
export class ApiMix {
  private count = 0;

  constructor(
    private readonly ledger: Ledger,
    private readonly monitorIds: readonly string[],
    private readonly random: () => number,
    /** Begins every name that is written, so that runs can be told apart. */
    private readonly prefix: string,
  ) {}

  next(): Errand {
    if (this.ledger.population > MOST_CHANNELS) return this.remove();
    let place = this.random() * 100;
    const kind = SHARES.find(([, share]) => (place -= share) < 0)?.[0] ?? 'summary';
    return this[kind]();
  }

  summary(): Errand {
    return read('summary', '/v1/summary');
  }

  states(): Errand {
    return read('states', '/v1/states?limit=100');
  }

  monitor(): Errand {
    const id = this.anyMonitor();
    const askedAt = Date.now();
    return {
      ...read('monitor', `/v1/monitors/${id}`),
      settle: (_known, { answer, stale, body }) => {
        const name = answer === 'ok' && !stale ? nameIn(body) : undefined;
        if (name !== undefined) this.ledger.noteRead(id, name, askedAt);
      },
    };
  }

  incidents(): Errand {
    return read('incidents', '/v1/incidents?limit=50');
  }

  uptime(): Errand {
    return read('uptime', `/v1/monitors/${this.anyMonitor()}/uptime`);
  }

  create(): Errand {
    const entry = this.ledger.channel(`${this.prefix} ${this.count++}`);
    const twice = this.random() < 0.25 ? ({ twice: true } as const) : {};
    const body = { kind: 'webhook', name: entry.name, settings: { url: NOWHERE } };
    return {
      kind: 'create channel',
      request: { method: 'POST', path: '/v1/channels', body, key: randomUUID() },
      ...twice,
      settle: (known, { body: answered }) => this.ledger.noteCreated(entry, known, idIn(answered)),
    };
  }

  rename(): Errand {
    const monitorId = this.anyMonitor();
    const name = `${this.prefix} ${this.count++}`;
    const entry = this.ledger.rename(monitorId, name);
    if (!entry) return this.monitor();
    return {
      kind: 'rename monitor',
      request: { method: 'PATCH', path: `/v1/monitors/${monitorId}`, body: { name }, key: randomUUID() },
      settle: (known) => (entry.renamed = knowledge(known)),
    };
  }

  remove(): Errand {
    const entry = this.ledger.takeOldest();
    if (!entry) return this.create();
    const [id] = entry.ids;
    entry.deleted = knowledge('open');
    return {
      kind: 'delete channel',
      request: { method: 'DELETE', path: `/v1/channels/${id}`, key: randomUUID() },
      settle: (known, { status }) => {
        entry.deleted = knowledge(known);
        // It was acknowledged, and nobody else deletes it.
        if (status === 404) entry.missing = true;
      },
    };
  }

  private anyMonitor(): string {
    return this.monitorIds[Math.floor(this.random() * this.monitorIds.length)]!;
  }
}

function read(kind: string, path: string): Errand {
  return { kind, request: { method: 'GET', path } };
}

/** The name of a monitor as the API shows it. */
function nameIn(answered: unknown): string | undefined {
  const { spec } = (answered ?? {}) as { spec?: { name?: unknown } };
  return typeof spec?.name === 'string' ? spec.name : undefined;
}

function idIn(answered: unknown): unknown {
  return typeof answered === 'object' && answered !== null && 'id' in answered ? answered.id : undefined;
}
