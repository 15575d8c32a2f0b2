import { RE2JS } from 're2js';
import { LIMIT_MS, timeLimiter, TooSlow } from '../time-limited.ts';
import { BadAssertion, Undecided } from './assertion.ts';

/** Compiled size above which an expression is refused: matching costs size × length of the text at worst. */
const MAX_SIZE = 4000;
/** Work (size × length) from which matching is watched. Below it, it can't take more than some milliseconds. */
const WATCHED_WORK = 1_000_000;

/**
 * A test for a regular expression in RE2 syntax, whose time is linear in the text.
 * @returns the test, which throws Undecided when it takes too long
 * @throws BadAssertion when it is not one, or is too large
 */
export function compilePattern(source: string): (text: string) => boolean {
  const first = parse(source);
  const size = first.programSize();
  if (size > MAX_SIZE) throw new BadAssertion('value', 'is too costly: use smaller repetition counts');
  const limited = timeLimiter();
  let kept: RE2JS | undefined = first;
  const test = (text: string): boolean => {
    const pattern = kept ?? parse(source);
    kept = undefined; // one that is interrupted while it changes its caches is not used again
    const matches = pattern.test(text);
    kept = pattern;
    return matches;
  };
  return (text) => {
    if (size * text.length < WATCHED_WORK) return test(text);
    try {
      return limited(() => test(text));
    } catch (cause) {
      if (!(cause instanceof TooSlow)) throw cause;
      throw new Undecided(`the expression took longer than ${LIMIT_MS} ms`, { cause });
    }
  };
}

function parse(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, '') : String(cause);
    throw new BadAssertion('value', `not a valid RE2 expression: ${detail}`);
  }
}
