import type { Assertion } from '@tocsin/contracts';
import type { ResponseHeaders } from './message/headers.ts';

/** What assertions are made on. */
export interface Evidence {
  headers: ResponseHeaders;
  /** Empty unless an assertion needs it. */
  text: string;
  elapsedMs: number;
  /** Of all certificates on the way, the one that ends first, ms since the epoch, as a message names it. */
  certificate: { expiresAt: number; name: string } | undefined;
  now: number;
  /** The JSON document in the text, read once for all assertions. @throws Undecided where it is none */
  json(): unknown;
}

/** An assertion made ready: says what is wrong, or nothing. */
export interface ReadyAssertion {
  severity: Assertion['severity'];
  needsBody: boolean;
  /** Whether an answer can make it take long. */
  costly: boolean;
  judge(evidence: Evidence): string | undefined;
}

/** Why an assertion can't be made ready: which of its fields, and what is wrong with it. */
export class BadAssertion extends Error {
  override readonly name = 'BadAssertion';

  constructor(
    readonly field: 'value' | 'path',
    message: string,
  ) {
    super(message);
  }
}

/** Thrown by a judgement that could not be made, such as one that takes too long: the assertion then does not hold. */
export class Undecided extends Error {
  override readonly name = 'Undecided';
}
