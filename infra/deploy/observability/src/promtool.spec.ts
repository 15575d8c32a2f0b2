import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dashboards, filesIn, root, text } from './files.ts';
import { findProgram } from './find-program.ts';

const promtool = findProgram('promtool', process.env['TOCSIN_PROMTOOL']);
const amtool = findProgram('amtool', process.env['TOCSIN_AMTOOL']);
const without = (name: string, program: string | undefined) => (program ? '' : ` (skipped: no ${name} on the PATH)`);

function run(program: string | undefined, ...args: string[]): string {
  return execFileSync(program!, args, { encoding: 'utf8', stdio: 'pipe' });
}

describe('Prometheus', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tocsin-prometheus-'));
    cpSync(join(root, 'prometheus'), folder, { recursive: true });
    for (const name of ['hosts', 'edge']) {
      cpSync(join(folder, `targets/${name}.example.yml`), join(folder, `targets/${name}.yml`));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.skipIf(!promtool)(`takes its configuration and rules${without('promtool', promtool)}`, () => {
    expect(run(promtool, 'check', 'config', join(folder, 'prometheus.yml'))).toContain('SUCCESS');
  });

  it.skipIf(!promtool)(`understands what dashboards ask${without('promtool', promtool)}`, () => {
    const asked = dashboards().flatMap(({ panels }) => panels.flatMap(({ targets = [] }) => targets));
    const rules = asked.map(({ expr }, n) => ({ record: `asked:${n}`, expr }));
    const file = join(folder, 'asked.json');
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'asked', rules }] }));
    expect(run(promtool, 'check', 'rules', file)).toContain(`SUCCESS: ${asked.length} rules found`);
  });

  it.skipIf(!promtool)(
    `fires every alert beyond its bound, and none before it${without('promtool', promtool)}`,
    () => {
      const tests = filesIn('prometheus/tests').map((file) => join(folder, 'tests', file));
      expect(run(promtool, 'test', 'rules', ...tests)).not.toContain('FAILED');
    },
    // Half a minute of CPU time on one slow core.
    120_000,
  );
});

describe('Alertmanager', () => {
  it.skipIf(!amtool)(`takes its configuration${without('amtool', amtool)}`, () => {
    expect(run(amtool, 'check-config', join(root, 'alertmanager/alertmanager.yml'))).toContain('SUCCESS');
  });

  const receiverOf = (...labels: string[]): string =>
    run(amtool, 'config', 'routes', 'test', `--config.file=${join(root, 'alertmanager/alertmanager.yml')}`, ...labels);

  it.skipIf(!amtool)(`wakes somebody for what is critical alone${without('amtool', amtool)}`, () => {
    expect(receiverOf('alertname=TocsinHostDown', 'severity=critical').trim()).toBe('on-call');
    expect(receiverOf('alertname=TocsinRedisDown', 'severity=warning').trim()).toBe('team');
    expect(receiverOf('alertname=TocsinWatchdog', 'severity=none').trim()).toBe('watchdog');
  });
});

describe('the collector', () => {
  it('bounds what a dead back end can cost', () => {
    const file = text('otel-collector.yaml');
    expect(file.match(/max_elapsed_time: [1-9]\d*s/g)).toHaveLength(2);
    expect(file.match(/queue_size: [1-9]\d*/g)).toHaveLength(2);
    expect(file.match(/processors: \[memory_limiter, /g)).toHaveLength(2);
  });
});
