/** What a run of tests says. Only one that ran can say that a test failed. */
export type Outcome = 'passed' | 'failed' | 'inconclusive';

/** What is read of vitest's JSON report. */
export interface TestReport {
  numPassedTests: number;
  numFailedTests: number;
  /** A suite fails, too, when a hook of it throws; its tests are skipped then. */
  numFailedTestSuites: number;
  testResults: { assertionResults: { status: string }[] }[];
}

/**
 * Tells a test that failed from a run that came to nothing.
 * @param code what vitest ended with; null when it was killed
 * @param report undefined when it wrote none
 */
export function outcomeOf(code: number | null, report: TestReport | undefined): Outcome {
  if (code === null || !report) return 'inconclusive';
  if (code === 0) return report.numPassedTests > 0 ? 'passed' : 'inconclusive';
  if (report.numFailedTests > 0) return 'failed';
  return report.numFailedTestSuites > 0 && ranToItsEnd(report) ? 'failed' : 'inconclusive';
}

/** A file that could not be loaded lists no tests; where its process died, they are still pending. */
function ranToItsEnd({ testResults }: TestReport): boolean {
  const tests = testResults.map(({ assertionResults }) => assertionResults);
  return tests.length > 0 && tests.every((file) => file.length > 0 && file.every(({ status }) => status !== 'pending'));
}
