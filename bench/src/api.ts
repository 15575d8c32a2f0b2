/** A small client of the REST API, for load that is bounded by `concurrency`. */
export class Api {
  constructor(
    private readonly gateways: readonly string[],
    private readonly token: string,
  ) {}

  async get<T>(path: string): Promise<T> {
    return this.call('GET', path);
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    return this.call('POST', path, body);
  }

  async delete(path: string): Promise<void> {
    await this.call('DELETE', path);
  }

  /** Creates many monitors and returns their identifiers. */
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

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const gateway = this.gateways[Math.floor(Math.random() * this.gateways.length)]!;
    const idempotencyKey = crypto.randomUUID();
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(gateway + path, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          'idempotency-key': idempotencyKey,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(30_000),
      });
      const text = await response.text();
      if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
      const worthAnother = [429, 503, 504].includes(response.status) && attempt < 20;
      if (!worthAnother) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 200 * attempt));
    }
  }
}
