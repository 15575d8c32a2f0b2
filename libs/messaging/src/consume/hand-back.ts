/** Thrown by a handler that can't work on a delivery now through no fault of the delivery: it is delivered again later. */
export class HandBack extends Error {
  /**
   * @param delayMs how long to wait before it is delivered again, to any instance; 0 = at once
   * @param reason what a person reads in the log
   */
  constructor(
    readonly delayMs: number,
    readonly reason: string,
  ) {
    super(`handed back: ${reason}`);
    this.name = 'HandBack';
  }
}
