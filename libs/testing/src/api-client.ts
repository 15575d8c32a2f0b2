import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

export interface ApiAnswer<T = unknown> {
  status: number;
  headers: Headers;
  body: T;
}

export interface ApiOptions {
  headers?: Record<string, string>;
  /** Sent as it is, in place of a JSON body. */
  raw?: string;
}

const MOST_ATTEMPTS = 20;
/** How long an accepted change may take, and how often it is asked for. */
const OPERATION_MS = 60_000;
const POLL_MS = 200;

/** A client of the REST API as a person's script would be: several gateways, one token. */
export class ApiClient {
  constructor(
    private readonly gateways: readonly string[],
    private readonly token: string,
  ) {}

  /** One request to one gateway; whatever it answers is returned. */
  async request<T = unknown>(method: string, path: string, body?: unknown, o: ApiOptions = {}): Promise<ApiAnswer<T>> {
    const gateway = this.gateways[Math.floor(Math.random() * this.gateways.length)]!;
    const sent = o.raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(gateway + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...o.headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    const json = text !== '' && response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : text) as T };
  }

  /**
   * The body of a successful answer; of a change that was only accepted, what it came to. What may succeed later (429, 503, 504, a gateway that is gone) is tried again with
   * the same Idempotency-Key, a bounded number of times.
   * @throws with the answer when it is a refusal
   */
  async call<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    // A test wants the result itself, and not the address where it will stand.
    const headers = { 'idempotency-key': randomUUID(), prefer: 'wait=25' };
    for (let attempt = 1; ; attempt++) {
      const answer = await this.request<T>(method, path, body, { headers }).catch((error: unknown) => error as Error);
      if (!(answer instanceof Error) && answer.status === 202) return this.carriedOut<T>(answer);
      if (!(answer instanceof Error) && answer.status < 300) return answer.body;
      const passing = answer instanceof Error || [429, 503, 504].includes(answer.status);
      if (!passing || attempt >= MOST_ATTEMPTS) {
        const said = answer instanceof Error ? answer.message : `${answer.status}: ${JSON.stringify(answer.body)}`;
        throw new Error(`${method} ${path} answered ${said}`);
      }
      await delay(100 * attempt);
    }
  }

  /** The result of an accepted change, once it was carried out. @throws when it failed, or takes longer than a minute */
  private async carriedOut<T>(accepted: ApiAnswer): Promise<T> {
    const path = accepted.headers.get('location') ?? '';
    const until = Date.now() + OPERATION_MS;
    for (;;) {
      const { status, result, error } = await this.get<{ status: string; result?: T; error?: unknown }>(path);
      if (status === 'done') return result as T;
      if (status === 'failed' || Date.now() > until) throw new Error(`${path} is ${status}: ${JSON.stringify(error)}`);
      await delay(POLL_MS);
    }
  }

  get<T>(path: string): Promise<T> {
    return this.call('GET', path);
  }

  post<T>(path: string, body?: unknown): Promise<T> {
    return this.call('POST', path, body);
  }

  delete(path: string): Promise<void> {
    return this.call('DELETE', path);
  }

  /** Creates many monitors, `concurrency` at a time, and returns their identifiers. */
  async createMonitors(specs: readonly unknown[], concurrency = 16): Promise<string[]> {
    const ids: string[] = [];
    let next = 0;
    const worker = async () => {
      while (next < specs.length) {
        const index = next++;
        ids[index] = (await this.post<{ id: string }>('/v1/monitors', specs[index])).id;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    return ids;
  }
}
