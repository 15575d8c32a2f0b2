import type { Assertion } from '@tocsin/contracts';
import { tooFewDays } from '../connect/days-left.ts';
import { durationMs } from '@tocsin/core';
import { milliseconds, quote } from '../message-text.ts';
import { BadAssertion, type Evidence, type ReadyAssertion, Undecided } from './assertion.ts';
import { compileJson } from './json-assertion.ts';
import { isPlainPath } from './json-path.ts';
import { compilePattern } from './pattern.ts';
import { soundsSecret } from './request.ts';

type Of<T extends Assertion['type']> = Extract<Assertion, { type: T }>;
type Judge = (evidence: Evidence) => string | undefined;

/**
 * Makes an assertion ready to be judged many times: expressions are compiled here.
 * @throws BadAssertion naming the field that is wrong
 */
export function compileAssertion(assertion: Assertion): ReadyAssertion {
  const judge = judgeOf(assertion);
  return {
    severity: assertion.severity,
    needsBody: assertion.type === 'body' || assertion.type === 'json',
    costly: isCostly(assertion),
    judge(evidence) {
      try {
        return judge(evidence);
      } catch (error) {
        if (error instanceof Undecided) return `${assertion.type}: ${error.message}`;
        throw error;
      }
    },
  };
}

function isCostly(assertion: Assertion): boolean {
  if ('op' in assertion && (assertion.op === 'matches' || assertion.op === 'not_matches')) return true;
  return assertion.type === 'json' && !isPlainPath(assertion.path);
}

function judgeOf(assertion: Assertion): Judge {
  switch (assertion.type) {
    case 'header':
      return header(assertion);
    case 'body':
      return body(assertion);
    case 'json':
      return compileJson(assertion);
    case 'response_time':
      return responseTime(assertion);
    case 'certificate':
      return certificate(assertion);
  }
}

function header({ name, op, value }: Of<'header'>): Judge {
  const key = name.toLowerCase();
  const read = ({ headers }: Evidence): string | undefined => headers.get(key);
  if (op === 'exists') return (e) => (read(e) === undefined ? `header ${key} is absent` : undefined);
  if (op === 'absent') return (e) => (read(e) === undefined ? undefined : `header ${key} is present`);

  const expected = required(value, op);
  const test = textTest(op, expected);
  // What such a header holds is nobody's business but the server's.
  const show = (found: string): string => (soundsSecret(key) ? 'something else' : quote(found));
  return (e) => {
    const found = read(e);
    if (found === undefined) return `header ${key} is absent, expected it to ${verb(op)} ${quote(expected)}`;
    return test(found) ? undefined : `header ${key} is ${show(found)}, expected it to ${verb(op)} ${quote(expected)}`;
  };
}

function body({ op, value }: Of<'body'>): Judge {
  const negated = op === 'not_contains' || op === 'not_matches';
  const plain = op === 'not_contains' ? 'contains' : op === 'not_matches' ? 'matches' : op;
  const test = textTest(plain, value);
  const complaint = negated ? `body ${plain} ${quote(value)}` : `body does not ${verb(plain)} ${quote(value)}`;
  return (e) => (test(e.text) === negated ? complaint : undefined);
}

function responseTime({ lessThan }: Of<'response_time'>): Judge {
  const limit = durationMs(lessThan);
  return ({ elapsedMs }) =>
    elapsedMs < limit ? undefined : `response time ${milliseconds(elapsedMs)}, expected less than ${lessThan}`;
}

function certificate({ minDaysLeft }: Of<'certificate'>): Judge {
  return ({ certificate: first, now }) =>
    first ? tooFewDays(first, minDaysLeft, now) : 'certificate: there is none, the answer came over plain HTTP';
}

function textTest(op: 'equals' | 'contains' | 'matches', expected: string): (text: string) => boolean {
  if (op === 'equals') return (text) => text === expected;
  if (op === 'contains') return (text) => text.includes(expected);
  return compilePattern(expected);
}

function verb(op: 'equals' | 'contains' | 'matches'): string {
  return { equals: 'equal', contains: 'contain', matches: 'match' }[op];
}

function required(value: string | undefined, op: string): string {
  if (value === undefined) throw new BadAssertion('value', `is needed for ${op}`);
  return value;
}
