/** CPU time of this thread that several pieces of work share. Time in which the thread did not run is not counted. */
export class CpuBudget {
  #usedMs = 0;

  constructor(private readonly ms: number) {}

  /** Whether it is used up. */
  get spent(): boolean {
    return this.#usedMs >= this.ms;
  }

  use<T>(work: () => T): T {
    const before = process.threadCpuUsage();
    try {
      return work();
    } finally {
      const { user, system } = process.threadCpuUsage(before);
      this.#usedMs += (user + system) / 1_000;
    }
  }
}
