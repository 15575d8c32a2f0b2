import { type Finding, findingsOf, isGood } from './findings.ts';
import { runScenarios } from './machine.ts';
import { fetchParts, whyNotVm } from './parts.ts';

const mayFetch = process.argv.includes('--fetch');
if (mayFetch && whyNotVm() !== undefined) await fetchParts();
const reason = whyNotVm();
if (reason === undefined) {
  const findings = findingsOf(await runScenarios());
  console.log(findings.map(lineOf).join('\n'));
  process.exitCode = findings.every(isGood) ? 0 : 1;
} else {
  console.error(`The small machine can't be had: ${reason}.${mayFetch ? '' : ' With --fetch, it is downloaded.'}`);
  process.exitCode = 1;
}

function lineOf(finding: Finding): string {
  const { what, value, unit, least, most } = finding;
  const range = most === Infinity ? `at least ${least}` : `${least} to ${most}`;
  return `${isGood(finding) ? 'good' : 'BAD '}  ${what.padEnd(78)} ${`${value} ${unit}`.padStart(10)}  (${range})`;
}
