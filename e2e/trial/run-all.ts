import type { Row } from './report/row.ts';
import type { Results } from './results.ts';
import type { Scenario } from './scenario.ts';
import type { Breakable, Trial } from './trial.ts';

/** One scenario after the other, so many strikes each; each one's row is counted while the next one runs. */
export async function runAll<Subject extends Breakable>(
  trial: Trial<Subject>,
  scenarios: readonly Scenario<Subject>[],
  { results, strikes }: { results: Results; strikes: number },
): Promise<void> {
  const counting: Promise<void>[] = [];
  let failed = false;
  for (const [index, scenario] of scenarios.entries()) {
    if (failed) break;
    console.log(`${index + 1}/${scenarios.length} ${scenario.name}`);
    const counted = added(results, await trial.run(scenario, { strikes }));
    // It may fail before anybody waits for it: said at once, and the run need not go on.
    counted.catch((error: unknown) => {
      console.error(`the row of ${scenario.name} could not be counted:`, error);
      failed = true;
    });
    counting.push(counted);
  }
  await Promise.all(counting);
}

/** Waits for a row and keeps it. */
export async function added(results: Results, { row }: { row: Promise<Row> }): Promise<void> {
  results.add(await row);
}
