import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readInventory } from '@tocsin/hosts';
import { projectRoot } from '@tocsin/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataCentre, serverUnits, serviceUnits } from '../src/data-centre.ts';
import { Enclosure } from '../src/enclosure.ts';
import { whyNot } from '../src/programs.ts';

const reason = await whyNot();

describe.skipIf(reason !== undefined)(`a data centre${reason ? ` (${reason})` : ''}`, () => {
  let enclosure: Enclosure;
  let centre: DataCentre;

  beforeAll(async () => {
    enclosure = await Enclosure.open();
    const inventory = readInventory(join(projectRoot, 'infra/deploy/hosts/inventory.example.yaml'));
    // No unit is enabled: what a host needs to run them may not be here.
    const image = { layers: [], mounts: {} };
    centre = await DataCentre.build(enclosure, { inventory, image, outside: '10.0.0.1', units: [] });
  });
  afterAll(() => enclosure?.close());

  it('has what the inventory renders, with the modes and groups of its manifest', async () => {
    const stat = (path: string): Promise<string> => centre.host('b').onDisk(['stat', '-c', '%a %U %G', path]);
    expect(await stat('/etc/tocsin/nats/nats.conf')).toBe('640 root tocsin-nats\n');
    expect(await stat('/etc/tocsin/credentials/prober/TOCSIN_CHECKS_KEY')).toBe('600 root root\n');
    expect(await stat('/etc/tocsin/postgres/start')).toBe('755 root root\n');
    expect(await centre.host('b').onDisk(['cat', '/etc/tocsin/nats/nats.conf'])).toContain('server_name: "b"');
  });

  it('starts hosts that know every unit, can be reached, and run none that is not enabled', async () => {
    await centre.powerOn();
    await centre.whenUp();
    const status = await centre.host('a').status();
    expect(Object.keys(status)).toEqual(expect.arrayContaining(serverUnits));
    expect(new Set(Object.values(status).map(({ state }) => state))).toEqual(new Set(['stopped']));
    // By the host itself: nothing listens there.
    const { stderr } = await enclosure.run(['bash', '-c', 'echo >/dev/tcp/10.0.0.12/1']);
    expect(stderr).toContain('refused');
    // It has no database yet.
    const postgres = 'tocsin-postgres.service';
    await expect(centre.whenUp([postgres], 500)).rejects.toThrow(`c: ${postgres} is`);
    const stat = ['runuser', '-u', 'tocsin-postgres', '--', 'stat', '-c', '%a %U', '/var/lib/tocsin/postgres'];
    expect(await centre.host('c').run(stat)).toBe('700 tocsin-postgres\n');
    await centre.shutDown();
    expect(centre.host('a').isOn).toBe(false);
  });

  it('keeps its users to itself', async () => {
    expect(await centre.host('a').onDisk(['id', '-un', 'tocsin-nats'])).toBe('tocsin-nats\n');
    const machine = readFileSync('/etc/passwd', 'utf8');
    expect(await centre.host('a').onDisk(['cat', '/etc/passwd'])).not.toBe(machine);
  });

  it('names the units of every server and sub-service', () => {
    expect(serverUnits).toContain('tocsin-keepalived.service');
    expect(serviceUnits).toContain('tocsin@gateway.service');
  });
});
