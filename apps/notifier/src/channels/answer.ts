import { CheckFailure } from '@tocsin/checks';
import { redactSecrets } from '@tocsin/core';

/** How much of what a receiver says is kept. */
const MOST_CHARACTERS = 4_000;
// oxlint-disable-next-line no-control-regex -- control characters are what it takes out
const CONTROL = /[\u0000-\u0020\u007f]+/g;

/** What a receiver said, as it may be kept and shown: bounded, one kind of white space, and without our own secrets. */
export function cleanAnswer(text: string, secrets: readonly (string | undefined)[], most = MOST_CHARACTERS): string {
  const clean = redactSecrets(text.toWellFormed(), secrets);
  return clean.replace(CONTROL, ' ').trim().slice(0, most).toWellFormed();
}

/** Why there was no answer, in the words of the error at the bottom: `ECONNREFUSED connect 127.0.0.1:9`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CheckFailure) return error.message;
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  const { cause } = error;
  if (cause instanceof Error && cause !== error) return reasonOf(cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}
