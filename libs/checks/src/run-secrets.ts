import { isSealed, redactSecrets } from '@tocsin/core';
import { CheckFailure } from './failure.ts';

/** Shorter texts are words that anybody may say, longer ones fit into no message. */
const HIDDEN = { shortest: 8, longest: 1_000 };

/** Whether a setting that viewers are not shown is left out of messages too. */
export function isWorthHiding(text: string): boolean {
  return text.length >= HIDDEN.shortest && text.length <= HIDDEN.longest;
}

/** The secrets of one run: opened when they are used, and left out of whatever the run says afterwards. */
export class RunSecrets {
  readonly #opened = new Set<string>();

  constructor(private readonly openSecret: (sealed: string) => string) {}

  /** A setting in plain. @throws CheckFailure `settings` when it is sealed and does not open */
  readonly open = (value: string): string => {
    if (!isSealed(value)) return value;
    try {
      return this.conceal(this.openSecret(value));
    } catch (cause) {
      throw new CheckFailure('settings', 'settings: a secret of this monitor does not open; enter it again', { cause });
    }
  };

  /** Takes what was made of a secret for one too, and returns it. */
  conceal(text: string): string {
    this.#opened.add(text);
    return text;
  }

  /** A text without them, in whatever form a target repeats them. */
  redact(text: string): string {
    return this.#opened.size === 0 ? text : redactSecrets(text, this.#opened);
  }
}
