/** A map that keeps the `limit` entries used most recently. */
export class Lru<V> {
  readonly #entries = new Map<string, V>();

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.#entries.size;
  }

  /** The entry, made by `make` if there is none. What `make` throws is thrown, and nothing is kept. */
  get(key: string, make: () => V): V {
    let value = this.#entries.get(key);
    if (value === undefined) value = make();
    else this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.limit) this.#entries.delete(this.#entries.keys().next().value!);
    return value;
  }
}
