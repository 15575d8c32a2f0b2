import { type Assertion, httpSettings } from '@tocsin/contracts';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { CheckFailure } from '../failure.ts';
import { BadAssertion, type Evidence, Undecided } from './assertion.ts';
import { compileAssertion } from './assertions.ts';
import { ResponseHeaders } from './message/headers.ts';

type Input = NonNullable<z.input<typeof httpSettings>['assertions']>[number];

function assertion(input: Input): Assertion {
  return httpSettings.parse({ url: 'http://a.example', assertions: [input] }).assertions[0]!;
}

function judge(input: Input, evidence: Partial<Evidence> & { text?: string } = {}): string | undefined {
  const text = evidence.text ?? '';
  return compileAssertion(assertion(input)).judge({
    headers: new ResponseHeaders(),
    text,
    elapsedMs: 0,
    certificate: undefined,
    now: 0,
    json: () => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new Undecided('the body is not JSON');
      }
    },
    ...evidence,
  });
}

describe('header assertions', () => {
  const headers = new ResponseHeaders();
  headers.add('content-type', 'text/html');
  headers.add('set-cookie', 'a=1');
  headers.add('set-cookie', 'b=2');
  headers.add('x-api-key', 'k-1');
  test.each([
    ['Content-Type', 'exists', undefined, undefined],
    ['X-None', 'exists', undefined, 'header x-none is absent'],
    ['X-None', 'absent', undefined, undefined],
    ['Content-Type', 'absent', undefined, 'header content-type is present'],
    ['Content-Type', 'equals', 'text/html', undefined],
    ['Content-Type', 'equals', 'text', 'header content-type is "text/html", expected it to equal "text"'],
    ['Content-Type', 'contains', 'html', undefined],
    ['Content-Type', 'matches', '^text/(html|plain)$', undefined],
    ['Content-Type', 'matches', '^image/', 'header content-type is "text/html", expected it to match "^image/"'],
    ['X-None', 'equals', 'x', 'header x-none is absent, expected it to equal "x"'],
    ['Set-Cookie', 'contains', 'b=2', undefined],
    ['X-Api-Key', 'equals', 'x', 'header x-api-key is something else, expected it to equal "x"'],
  ] as const)('%s %s %s', (name, op, value, expected) => {
    expect(judge({ type: 'header', name, op, value }, { headers })).toBe(expected);
  });
});

describe('body assertions', () => {
  test.each([
    ['equals', 'all fine', undefined],
    ['equals', 'fine', 'body does not equal "fine"'],
    ['contains', 'fine', undefined],
    ['contains', 'bad', 'body does not contain "bad"'],
    ['not_contains', 'bad', undefined],
    ['not_contains', 'fine', 'body contains "fine"'],
    ['matches', 'f.n[a-f]', undefined],
    ['matches', '^fine', 'body does not match "^fine"'],
    ['not_matches', '^fine', undefined],
    ['not_matches', 'fine$', 'body matches "fine$"'],
  ] as const)('%s %s', (op, value, expected) => {
    expect(judge({ type: 'body', op, value }, { text: 'all fine' })).toBe(expected);
  });
});

describe('json assertions', () => {
  const text = JSON.stringify({
    s: 'ok',
    n: 3,
    b: true,
    z: null,
    list: ['a', 'b'],
    items: [{ n: 1 }, { n: 5 }],
    t: 'x',
  });
  test.each([
    ['$.s', 'exists', undefined, undefined],
    ['$.none', 'exists', undefined, 'json $.none is absent'],
    ['$.none', 'absent', undefined, undefined],
    ['$.z', 'absent', undefined, 'json $.z is present'],
    ['$.s', 'equals', 'ok', undefined],
    ['$["s"]', 'equals', 'ok', undefined],
    ['$.s', 'equals', 'bad', 'json $.s is "ok", expected "bad"'],
    ['$.n', 'equals', 3, undefined],
    ['$.n', 'equals', '3', 'json $.n is 3, expected "3"'],
    ['$.z', 'equals', null, undefined],
    ['$.b', 'equals', true, undefined],
    ['$.none', 'equals', 1, 'json $.none is absent, expected 1'],
    ['$.s', 'not_equals', 'bad', undefined],
    ['$.s', 'not_equals', 'ok', 'json $.s is "ok", expected something other than "ok"'],
    ['$.none', 'not_equals', 1, 'json $.none is absent, expected something other than 1'],
    ['$.list', 'contains', 'b', undefined],
    ['$.s', 'contains', 'o', undefined],
    ['$.list', 'contains', 'c', 'json $.list is an array of 2, expected it to contain "c"'],
    ['$.n', 'matches', '^\\d$', undefined],
    ['$.s', 'matches', '^k', 'json $.s is "ok", expected it to match "^k"'],
    ['$.n', 'less', 4, undefined],
    ['$.n', 'less', 3, 'json $.n is 3, expected less than 3'],
    ['$.n', 'greater', 2, undefined],
    ['$.s', 'greater', 2, 'json $.s is "ok", expected more than 2'],
    ['$.list[-1]', 'equals', 'b', undefined],
    ['$.list[2]', 'exists', undefined, 'json $.list[2] is absent'],
    ['$.list.length', 'exists', undefined, 'json $.list.length is absent'],
    ['$.constructor', 'exists', undefined, 'json $.constructor is absent'],
    ['$.items[*].n', 'equals', 5, undefined],
    ['$.items[*].n', 'less', 5, 'json $.items[*].n is 5, expected less than 5'],
    ['$..n', 'greater', 0, undefined],
    ['$.items[?@.n > 4].n', 'equals', 5, undefined],
    ['$.items[?length(@.n) > 4]', 'absent', undefined, undefined],
  ] as const)('%s %s %s', (path, op, value, expected) => {
    expect(judge({ type: 'json', path, op, value }, { text })).toBe(expected);
  });

  test('do not hold on what is not JSON', () => {
    expect(judge({ type: 'json', path: '$.a', op: 'exists' }, { text: '<html>' })).toBe('json: the body is not JSON');
    expect(judge({ type: 'json', path: '$.a', op: 'absent' }, { text: '' })).toBe('json: the body is not JSON');
  });

  test('do not show what is named like a secret', () => {
    const found = judge({ type: 'json', path: '$.token', op: 'equals', value: 'x' }, { text: '{"token":"t0k"}' });
    expect(found).toBe('json $.token is something else, expected "x"');
  });

  test('take documents however deep', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(judge({ type: 'json', path: '$[0][0]', op: 'exists' }, { text: deep })).toBeUndefined();
    const before = process.threadCpuUsage();
    expect(judge({ type: 'json', path: '$..*..*', op: 'equals', value: 1 }, { text: deep })).toBeTypeOf('string');
    expect(cpuMs(before)).toBeLessThan(2_000);
  });
});

describe('the others', () => {
  test('response time must be less than its bound', () => {
    expect(judge({ type: 'response_time', lessThan: '500ms' }, { elapsedMs: 499.9 })).toBeUndefined();
    expect(judge({ type: 'response_time', lessThan: '500ms' }, { elapsedMs: 1234 })).toBe(
      'response time 1.23 s, expected less than 500ms',
    );
  });

  test('a certificate must have its days left, and be there', () => {
    const at = (days: number, name = 'certificate') => ({
      certificate: { expiresAt: days * 86_400_000, name },
      now: 0,
    });
    expect(judge({ type: 'certificate', minDaysLeft: 5 }, at(5))).toBeUndefined();
    expect(judge({ type: 'certificate', minDaysLeft: 5 }, at(4.9))).toBe(
      'certificate expires in 4 days, expected at least 5 days left',
    );
    expect(judge({ type: 'certificate', minDaysLeft: 5 }, at(1, 'the intermediate M'))).toBe(
      'the intermediate M expires in 1 day, expected at least 5 days left',
    );
    expect(judge({ type: 'certificate', minDaysLeft: 5 })).toBe(
      'certificate: there is none, the answer came over plain HTTP',
    );
  });

  test('response time and certificate make a target degraded unless they say otherwise, the rest down', () => {
    expect(compileAssertion(assertion({ type: 'response_time', lessThan: '1s' })).severity).toBe('degraded');
    expect(compileAssertion(assertion({ type: 'certificate', minDaysLeft: 1 })).severity).toBe('degraded');
    expect(compileAssertion(assertion({ type: 'body', op: 'contains', value: 'x' })).severity).toBe('down');
  });
});

describe('what would explode', () => {
  const text = `${'a'.repeat(1_000_000)}!`;
  const BUSY = 'this machine gave less than a sixth of a core, so another prober has to judge';

  /** As `judge`, with the answer of a prober on a busy machine: it holds the event loop no longer than the others. */
  const judgeOrBusy = (...of: Parameters<typeof judge>): string | undefined => {
    try {
      return judge(...of);
    } catch (error) {
      if (error instanceof CheckFailure && error.reason === 'resources') return BUSY;
      throw error;
    }
  };

  test.each(['(a+)+$', '^(a|a)*$', '(a|aa)+$', '(.*a){20}$', '^([a-zA-Z]+)*$', '^(([a-z])+.)+[A-Z]([a-z])+$'])(
    'the expression %s takes linear time',
    (value) => {
      const before = process.threadCpuUsage();
      expect(judgeOrBusy({ type: 'body', op: 'matches', value }, { text })).toBeTypeOf('string');
      expect(cpuMs(before)).toBeLessThan(1_000);
    },
  );

  test('a large expression over a large body is stopped, and so does not hold', () => {
    const value = '(x?a?b?c?d?e?f?){60}[^!]{200}(a{0,50}){8}y';
    const varied = 'abcdefxgfedcab'.repeat(100_000);
    const before = process.threadCpuUsage();
    const found = judgeOrBusy({ type: 'body', op: 'matches', value }, { text: varied });
    expect(found).toMatch(/^body(: the expression took longer than 100 ms| does not match)|^this machine/);
    expect(cpuMs(before)).toBeLessThan(2_500);
  });

  test('an expression inside a JSONPath can not hold the event loop', () => {
    const document = JSON.stringify({ a: [`${'a'.repeat(40)}!`] });
    const before = process.threadCpuUsage();
    const path = '$.a[?search(@, "^(a+)+$")]';
    const found = judgeOrBusy({ type: 'json', path, op: 'exists' }, { text: document });
    expect(['json: the path took longer than 100 ms', BUSY]).toContain(found);
    expect(cpuMs(before)).toBeLessThan(1_000);
  });

  test('descendants of descendants can not hold the event loop', () => {
    let document = '1';
    for (let i = 0; i < 200; i++) document = `{"a":${document},"b":[${document.length < 200_000 ? document : 1}]}`;
    const before = process.threadCpuUsage();
    judgeOrBusy({ type: 'json', path: '$..*[?@..*[?@..x]]', op: 'exists' }, { text: document });
    expect(cpuMs(before)).toBeLessThan(1_500);
  });
});

describe('what can not be compiled', () => {
  test.each([
    [{ type: 'body', op: 'matches', value: '(a' }, 'value', /^not a valid RE2 expression: missing closing \)/],
    [{ type: 'body', op: 'matches', value: '(?=a)' }, 'value', /^not a valid RE2 expression: /],
    [{ type: 'body', op: 'matches', value: 'a{1001}' }, 'value', /^not a valid RE2 expression: /],
    [
      { type: 'body', op: 'matches', value: '(((a{10}){10}){10})b{900}(c{30}){30}(d{30}){30}(e{30}){30}(f{30}){30}' },
      'value',
      /too costly/,
    ],
    [{ type: 'header', name: 'x', op: 'equals' }, 'value', /^is needed for equals$/],
    [{ type: 'json', path: '$.a', op: 'less', value: '3' }, 'value', /^must be a number for less$/],
    [{ type: 'json', path: '$.a', op: 'matches', value: 3 }, 'value', /^must be an RE2 expression/],
    [{ type: 'json', path: '$.a', op: 'contains' }, 'value', /^is needed for contains$/],
    [{ type: 'json', path: 'a.b', op: 'exists' }, 'path', /^not a valid JSONPath \(RFC 9535\): /],
    [{ type: 'json', path: '$[?foo(@.a)]', op: 'exists' }, 'path', /^has an unknown function: foo\(\)$/],
    [{ type: 'json', path: `$[?${'('.repeat(200)}@.a==1`, op: 'exists' }, 'path', /./],
  ] as [Input, 'value' | 'path', RegExp][])('%j', (input, field, message) => {
    const before = process.threadCpuUsage();
    const error = refusal(() => compileAssertion(assertion(input)));
    expect(error.field).toBe(field);
    expect(error.message).toMatch(message);
    expect(cpuMs(before)).toBeLessThan(1_500);
  });
});

function refusal(compile: () => unknown): BadAssertion {
  try {
    compile();
  } catch (error) {
    if (error instanceof BadAssertion) return error;
    throw error;
  }
  throw new Error('it was compiled');
}

/** CPU time of this thread: a busy machine does not make it longer. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since);
  return (user + system) / 1000;
}
