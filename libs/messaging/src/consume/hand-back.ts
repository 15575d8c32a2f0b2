/** Thrown by a handler that cannot handle a delivery now, through no fault of the delivery: it comes again later. */
export class HandBack extends Error {
  /**
   * @param delayMs how long the broker waits before it delivers the message again, to any instance; 0 = at once
   * @param reason for the log
   */
  constructor(
    readonly delayMs: number,
    readonly reason: string,
  ) {
    super(`handed back: ${reason}`);
    this.name = 'HandBack';
  }
}
