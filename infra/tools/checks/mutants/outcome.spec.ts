import { describe, expect, it } from 'vitest';
import { outcomeOf, type TestReport } from './outcome.ts';
import { parses } from './parses.ts';

/** A report of one file, as vitest 5 writes it. */
function report(statuses: string[], numFailedTestSuites = 0): TestReport {
  return {
    numPassedTests: statuses.filter((status) => status === 'passed').length,
    numFailedTests: statuses.filter((status) => status === 'failed').length,
    numFailedTestSuites,
    testResults: [{ assertionResults: statuses.map((status) => ({ status })) }],
  };
}

describe('a run of tests', () => {
  it.each([
    ['passed', 'its tests passed', 0, report(['passed', 'skipped'])],
    ['failed', 'a test failed', 1, report(['passed', 'failed'], 1)],
    ['failed', 'a hook threw and its tests were skipped', 1, report(['skipped', 'skipped'], 1)],
    ['inconclusive', 'it was killed, whatever it had reported', null, report(['failed'], 1)],
    ['inconclusive', 'it wrote no report', 1, undefined],
    ['inconclusive', 'no test has the title', 0, report(['skipped'])],
    ['inconclusive', 'the test file could not be loaded', 1, report([], 1)],
    ['inconclusive', 'its process died', 1, report(['pending', 'pending'], 1)],
    ['inconclusive', 'something else went wrong than a test', 1, report(['passed'])],
  ] as const)('is %s: %s', (outcome, _, code, written) => {
    expect(outcomeOf(code, written)).toBe(outcome);
  });
});

describe('a file', () => {
  it('must be TypeScript to prove anything', () => {
    expect(parses('a.ts', 'export const a: number = 1;')).toBe(true);
    expect(parses('a.ts', 'export const a = = 1;')).toBe(false);
  });

  it('of another language is not looked at', () => {
    expect(parses('a.sql', 'SELECT 1')).toBe(true);
  });
});
