import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with the tests that were skipped, and why: a skip that nobody sees is a hole that nobody knows. */
export class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests('skipped')) {
        const result = test.result();
        const why = result.state === 'skipped' && result.note ? result.note : 'no reason was given';
        lines.push(`  ${module.relativeModuleId} > ${test.fullName}: ${why}`);
      }
    }
    const summary = lines.length === 0 ? 'Nothing was skipped.' : `Skipped (${lines.length}):\n${lines.join('\n')}`;
    process.stdout.write(`\n${summary}\n`);
  }
}
