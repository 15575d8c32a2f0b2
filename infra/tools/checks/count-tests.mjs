// Prints "<passed> <failed>" of a vitest JSON report, and "0 0" when there is none. Runs on any Node.
import { readFileSync } from 'node:fs';

try {
  const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  // A spec file that could not be loaded has no tests to count: it counts as one that failed.
  const broken = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  console.log(`${report.numPassedTests} ${report.numFailedTests + broken.length}`);
} catch {
  console.log('0 0');
}
