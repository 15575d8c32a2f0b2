import { setTimeout as delay } from 'node:timers/promises';
import { type Range, within } from '../oracle/range.ts';
import type { ApiRecord } from './api-figures.ts';
import { ApiMix, type Errand } from './api-mix.ts';
import { type ApiOutcome, GatewayClient } from './gateway-client.ts';
import { Ledger } from './ledger.ts';
import { randomOf } from './random.ts';

export interface ApiLoadOptions {
  /** The addresses of the gateways, read at each attempt. */
  gateways: () => readonly string[];
  token: string;
  monitorIds: readonly string[];
  perSecond?: number;
  seed?: number;
}

/** Records kept, the newest: some hours at 20 requests/s. */
const MOST_RECORDS = 400_000;
/** Requests at a time; over it, one that should start is a failed one. */
const MOST_AT_ONCE = 1_000;
const TICK_MS = 25;
/** How long an accepted write may take to be carried out, and how often it is asked for. */
const OPERATION_MS = 90_000;
const POLL_MS = 500;

/** Clients at a fixed rate, whatever the answers, and a record of each request. */
export class ApiLoad {
  readonly ledger = new Ledger();
  private readonly records: ApiRecord[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly client: GatewayClient;
  private readonly mix: ApiMix;
  private readonly timer: NodeJS.Timeout;
  private started = 0;

  private constructor(o: ApiLoadOptions) {
    const { perSecond = 20, seed = 1 } = o;
    this.client = new GatewayClient(o.gateways, o.token);
    this.mix = new ApiMix(this.ledger, o.monitorIds, randomOf(seed), `load ${seed}-${Date.now().toString(36)}`);
    const since = performance.now();
    this.timer = setInterval(() => {
      const wanted = Math.floor(((performance.now() - since) / 1_000) * perSecond);
      for (; this.started < wanted; this.started++) this.begin();
    }, TICK_MS);
  }

  /** Starts at once. */
  static start(o: ApiLoadOptions): ApiLoad {
    return new ApiLoad(o);
  }

  /** The requests that began in a range. Ask some 12 s after its end, when the last have ended. */
  requestsIn(range: Range): ApiRecord[] {
    return this.records.filter(({ startedAt }) => within(range, startedAt));
  }

  /** Stops, and waits for what is under way: requests and accepted operations, each within its bound. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.running);
  }

  private begin(): void {
    const errand = this.mix.next();
    const turns = errand.twice ? [0, 1] : [undefined];
    for (const first of turns) {
      const run = this.run(errand, first).finally(() => this.running.delete(run));
      this.running.add(run);
    }
  }

  private async run({ kind, request, settle }: Errand, first: number | undefined): Promise<void> {
    const startedAt = Date.now();
    const outcome = this.running.size < MOST_AT_ONCE ? await this.client.send(request, first) : OVERRUN;
    this.note({ kind, startedAt, ...pick(outcome) });
    if (outcome.answer === 'accepted') await this.follow(kind, outcome, settle);
    else settle?.(outcome.answer === 'ok' ? 'acknowledged' : 'unsure', outcome);
  }

  private note(record: ApiRecord): void {
    this.records.push(record);
    if (this.records.length > MOST_RECORDS) this.records.splice(0, MOST_RECORDS / 10);
  }

  /** Asks for an accepted write until it is done, or its time is over. */
  private async follow(kind: string, outcome: ApiOutcome, settle: Errand['settle']): Promise<void> {
    const at = Date.now();
    const entry = this.ledger.accept(kind, outcome.operation!);
    while (Date.now() - at < OPERATION_MS) {
      const asked = await this.client.send({ method: 'GET', path: entry.operation });
      const { status, result, error } = (asked.body ?? {}) as { status?: unknown; result?: unknown; error?: unknown };
      if (asked.answer === 'ok' && (status === 'done' || status === 'failed')) {
        Object.assign(entry, { status, tookMs: Date.now() - at, ...(error ? { why: JSON.stringify(error) } : {}) });
        settle?.(status === 'done' ? 'acknowledged' : 'unsure', { ...outcome, body: result });
        return;
      }
      entry.why = asked.why ?? `still ${String(status)}`;
      await delay(POLL_MS);
    }
    settle?.('unsure', outcome);
  }
}

const OVERRUN: ApiOutcome = {
  answer: 'failed',
  attempts: 0,
  tookMs: 0,
  stale: false,
  status: 0,
  body: undefined,
  why: `${MOST_AT_ONCE} requests are under way already`,
};

function pick({ answer, attempts, tookMs, stale, status, why }: ApiOutcome) {
  return { answer, attempts, tookMs, stale, status, ...(why === undefined ? {} : { why }) };
}
