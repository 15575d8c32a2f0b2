import { setTimeout as delay } from 'node:timers/promises';

/**
 * How a client waits: it gives a gateway so long, then sends the same to the other, as long as its patience lasts for
 * another attempt. One cut short would say nothing of the gateway.
 */
export interface Patience {
  attemptMs: number;
  totalMs: number;
}

const USUAL: Patience = { attemptMs: 1_500, totalMs: 10_000 };
/** Between two rounds over the gateways that did not even refuse. */
const PAUSE_MS = 100;
/** The gateway is asked to answer within the attempt: what takes longer is a 202. */
const WAIT = 'wait=1';

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  body?: unknown;
  /** Sent as Idempotency-Key with every attempt. */
  key?: string;
}

/** How a request ended for whoever made it. */
export interface ApiOutcome {
  /** `refused`: 429 or 503 with Retry-After when the client's patience was over; `failed`: anything else that is no answer. */
  answer: 'ok' | 'accepted' | 'refused' | 'failed';
  attempts: number;
  tookMs: number;
  stale: boolean;
  /** Of the last attempt; 0: it had no answer. */
  status: number;
  body: unknown;
  /** Where to ask what came of it, of an accepted one. */
  operation?: string;
  /** Why the last attempt was no answer. */
  why?: string;
}

interface Attempt {
  status: number;
  body?: unknown;
  stale?: boolean;
  operation?: string;
  /** Seconds, as Retry-After says. */
  retryAfter?: number;
  why?: string;
}

/** One client of both gateways, as a load balancer in front of them would make it. */
export class GatewayClient {
  private turn = 0;

  /** @param gateways read at each attempt: an address may change */
  constructor(
    private readonly gateways: () => readonly string[],
    private readonly token: string,
    private readonly patience = USUAL,
  ) {}

  /** Sends a request until it is answered or the client's patience is over. Never throws. */
  async send(request: ApiRequest, first = this.turn++): Promise<ApiOutcome> {
    const startedAt = performance.now();
    const { attemptMs, totalMs } = this.patience;
    for (let attempts = 1; ; attempts++) {
      const gateways = this.gateways();
      const attempt = await this.attempt(request, gateways[(first + attempts - 1) % gateways.length]!);
      const tookMs = performance.now() - startedAt;
      const { status, body, stale = false, operation, why } = attempt;
      const seen = { attempts, tookMs, status, body, stale };
      if (status === 202 && operation !== undefined) return { ...seen, answer: 'accepted', operation };
      if (status >= 200 && status < 300) return { ...seen, answer: 'ok' };
      const pauseMs = attempts % gateways.length === 0 ? (attempt.retryAfter ?? PAUSE_MS / 1_000) * 1_000 : 0;
      if (mayPass(status) && tookMs + pauseMs + attemptMs <= totalMs) {
        await delay(pauseMs);
        continue;
      }
      const refused = [429, 503].includes(status) && attempt.retryAfter !== undefined;
      return { ...seen, answer: refused ? 'refused' : 'failed', why: why ?? `status ${status}` };
    }
  }

  private async attempt({ method, path, body, key }: ApiRequest, gateway: string): Promise<Attempt> {
    try {
      const response = await fetch(gateway + path, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          prefer: WAIT,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(this.patience.attemptMs),
      });
      const text = await response.text();
      const { headers, status } = response;
      const operation = headers.get('location');
      return {
        status,
        body: parsed(text),
        stale: headers.get('tocsin-stale') === 'true',
        ...(operation === null ? {} : { operation }),
        ...(headers.has('retry-after') ? { retryAfter: Number(headers.get('retry-after')) || 0 } : {}),
        ...(status < 300 ? {} : { why: `status ${status}: ${text.slice(0, 200)}` }),
      };
    } catch (error) {
      return { status: 0, why: reasonOf(error) };
    }
  }
}

/** Whether another attempt may be answered: no answer, too many requests, or a server's trouble. */
function mayPass(status: number): boolean {
  return status === 0 || status === 429 || status >= 500;
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
