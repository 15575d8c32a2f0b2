/** So much CPU time of this thread, from now on. Time in which it did not run is not counted. */
export class Allowance {
  readonly #since = performance.now();
  readonly #before = process.threadCpuUsage();

  constructor(private readonly ms: number) {}

  /** Whether it is used up. Asks the clock first, which costs less. */
  get spent(): boolean {
    if (performance.now() - this.#since < this.ms) return false;
    const { user, system } = process.threadCpuUsage(this.#before);
    return (user + system) / 1_000 >= this.ms;
  }
}
