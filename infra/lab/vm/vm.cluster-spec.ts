import { beforeAll, describe, expect, it } from 'vitest';
import { type Finding, findingsOf } from './findings.ts';
import { MOST_SECONDS, runScenarios } from './machine.ts';
import { fetchParts, whyNotVm } from './parts.ts';

if (process.env.TOCSIN_LAB_VM === 'fetch' && whyNotVm() !== undefined) await fetchParts();
const reason = whyNotVm();

describe.skipIf(reason !== undefined)(
  `LVS, bonded cards and netem in a small machine${reason ? ` (${reason})` : ''}`,
  () => {
    let findings: Finding[] = [];
    beforeAll(
      async () => {
        findings = findingsOf(await runScenarios());
      },
      (MOST_SECONDS + 30) * 1_000,
    );

    it.each([
      ['LVS', 10],
      ['Bonded cards watched by ARP', 3],
      ['Bonded cards watched by MII', 2],
      ['netem', 2],
    ])('%s: %i figures within their ranges', (about, count) => {
      const own = findings.filter(({ what }) => what.startsWith(about));
      expect(own).toHaveLength(count);
      for (const { what, value, least, most } of own) {
        expect.soft(value, what).toBeGreaterThanOrEqual(least);
        expect.soft(value, what).toBeLessThanOrEqual(most);
      }
    });
  },
);
