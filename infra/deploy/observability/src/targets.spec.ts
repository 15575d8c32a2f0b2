import { join } from 'node:path';
import { serviceNames } from '@tocsin/contracts';
import { readInventory } from '@tocsin/hosts';
import { projectRoot } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { text } from './files.ts';
import { edgeTargets, exporterPorts, hostTargets } from './targets.ts';

interface Group {
  labels: { host?: string; service?: string; server_name?: string };
  targets: string[];
}
interface ScrapeConfig {
  job_name: string;
  file_sd_configs?: { files: string[] }[];
  relabel_configs?: { action?: string; source_labels?: string[]; regex?: string }[];
}

const inventory = readInventory(join(projectRoot, 'infra/deploy/hosts/inventory.example.yaml'));
const groups = parse(hostTargets(inventory)) as Group[];
const { scrape_configs: jobs } = parse(text('prometheus/prometheus.yml')) as { scrape_configs: ScrapeConfig[] };

describe('targets', () => {
  it('are every part of every host, each once', () => {
    const parts = [...serviceNames, ...Object.keys(exporterPorts)];
    expect(groups).toHaveLength(parts.length * inventory.hosts.length);
    for (const { name, address } of inventory.hosts) {
      const own = groups.filter(({ labels }) => labels.host === name);
      expect(own.map(({ labels }) => labels.service)).toEqual(parts);
      expect(new Set(own.flatMap(({ targets }) => targets)).size).toBe(parts.length);
      expect(own.every(({ targets: [one] }) => one?.startsWith(`${address}:`))).toBe(true);
    }
  });

  it('of the edge have the name that the certificate is asked for', () => {
    expect(parse(edgeTargets(inventory))).toEqual([
      { labels: { server_name: 'tocsin.example.com' }, targets: ['10.0.0.10:443'] },
    ]);
  });

  it('in the examples are those of the example of an inventory', () => {
    expect(parse(text('prometheus/targets/hosts.example.yml'))).toEqual(groups);
    expect(parse(text('prometheus/targets/edge.example.yml'))).toEqual(parse(edgeTargets(inventory)));
  });

  it('are each read by a job', () => {
    const kept = jobs.flatMap(({ job_name: job, relabel_configs: steps = [] }) =>
      steps.filter(({ action }) => action === 'keep').map(({ regex = '' }) => ({ job, regex })),
    );
    const read = (service: string): string[] =>
      kept.filter(({ regex }) => new RegExp(`^(?:${regex})$`).test(service)).map(({ job }) => job);
    for (const exporter of Object.keys(exporterPorts)) expect(read(exporter)).toEqual([exporter]);
  });

  it('come from one file, which is all that a new host changes', () => {
    const files = jobs.flatMap(({ file_sd_configs: found = [] }) => found.flatMap((one) => one.files));
    expect(new Set(files)).toEqual(new Set(['targets/hosts.yml', 'targets/edge.yml']));
    expect(text('prometheus/prometheus.yml')).not.toMatch(/:84\d\d|10\.0\.0/);
  });
});
