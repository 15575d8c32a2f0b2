// Prints each failed test of a vitest JSON report with the first lines of its error; nothing when all passed. Runs on any Node.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const LINES = 4;
let report = { testResults: [] };
try {
  report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
} catch {
  console.log('  (no report of the tests was written)');
}
for (const file of report.testResults.filter(({ status }) => status === 'failed')) {
  const name = relative(process.cwd(), file.name);
  const failed = file.assertionResults.filter(({ status }) => status === 'failed');
  if (failed.length === 0) say(name, file.message);
  for (const test of failed) say(`${name} > ${test.fullName}`, test.failureMessages.join('\n'));
}

function say(what, why) {
  console.log(`  ${what}`);
  for (const line of String(why).split('\n').slice(0, LINES)) console.log(`      ${line}`);
}
