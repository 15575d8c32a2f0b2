import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '@tocsin/testing';
import { projectRoot } from '@tocsin/testing/servers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OUTSIDE } from '../src/faults.ts';
import type { Host } from '../src/host.ts';
import { whyNot } from '../src/programs.ts';
import { toyHosts } from './toys.ts';

const reason = await whyNot();
const EAR = 'tocsin-ear.service';
const addresses = { a: '10.9.0.11', b: '10.9.0.12', outside: '10.9.0.1' };

describe.skipIf(reason !== undefined)(`a network${reason ? ` (${reason})` : ''}`, () => {
  let lab: Awaited<ReturnType<typeof toyHosts>>;
  let words = 0;

  beforeAll(async () => {
    lab = await toyHosts([EAR]);
    await Promise.all([lab.a.powerOn(), lab.b.powerOn()]);
    await Promise.all([heard('outside', 'a'), heard('outside', 'b'), heard('a', 'b'), heard('b', 'a')]);
  });
  afterEach(() => lab.network.heal());
  afterAll(() => lab?.enclosure.close());

  type Place = 'a' | 'b' | 'outside';
  const say = async (from: Place, to: 'a' | 'b', text: string, times = 1): Promise<void> => {
    const script = `for i in $(seq ${times}); do echo ${text} >/dev/udp/${addresses[to]}/9999; done`;
    // A sender without a carrier, or without an answer to its question for the address, gets an error.
    const command = ['bash', '-c', script];
    if (from === 'outside') await lab.enclosure.run(command);
    else await lab[from].run(command).catch(() => undefined);
  };
  const log = (host: Host): Promise<string> => host.run(['cat', `/var/log/tocsin/${EAR}.log`]);
  const count = async (host: Host, text: string): Promise<number> => (await log(host)).split(`${text}\n`).length - 1;
  /** Resolves when something that was said has arrived. */
  const heard = async (from: Place, to: 'a' | 'b'): Promise<void> => {
    words += 1;
    const text = `word-${words}.`;
    await until(async () => {
      await say(from, to, text);
      return (await count(lab[to], text)) > 0;
    });
  };
  /** Says something that must not arrive, and gives what is to be looked for when the way is open again. */
  const unheard = async (from: Place, to: 'a' | 'b'): Promise<string> => {
    words += 1;
    await say(from, to, `word-${words}.`, 5);
    return `word-${words}.`;
  };

  it('drops packets in one direction alone', async () => {
    await lab.network.drop('a', 'b');
    const text = await unheard('a', 'b');
    await heard('b', 'a');
    await heard('outside', 'b');
    await lab.network.heal();
    await heard('a', 'b');
    expect(await count(lab.b, text)).toBe(0);
  });

  it('cuts a host off from the others, and not from the outside', async () => {
    await lab.network.cutOff('b', 'hosts');
    const texts = [await unheard('a', 'b'), await unheard('b', 'a')];
    await heard('outside', 'b');
    await lab.network.heal();
    await Promise.all([heard('a', 'b'), heard('b', 'a')]);
    expect([await count(lab.b, texts[0]!), await count(lab.a, texts[1]!)]).toEqual([0, 0]);
  });

  it('cuts a host off from everybody', async () => {
    await lab.network.cutOff('b');
    const text = await unheard('outside', 'b');
    await heard('outside', 'a');
    await lab.network.heal();
    await heard('outside', 'b');
    expect(await count(lab.b, text)).toBe(0);
  });

  it('reaches the outside by its own cable alone, and not by the switch, which hears every question too', async () => {
    const card = /ether (\S+)/.exec(await lab.enclosure.must(['ip', 'link', 'show', 'outside']))?.[1];
    expect(card).toBeDefined();
    for (let i = 0; i < 5; i += 1) {
      await lab.b.run(['ip', 'neigh', 'flush', 'all']);
      const known = await until(async () => {
        await lab.b.run(['bash', '-c', `echo >/dev/udp/${addresses.outside}/9999`]);
        return /lladdr (\S+)/.exec(await lab.b.run(['ip', 'neigh', 'show', addresses.outside]))?.[1];
      });
      expect(known).toBe(card);
    }
  });

  it('shows a host whether it reaches another one, be it only to be refused', async () => {
    const script = await readFile(join(projectRoot, 'infra/deploy/hosts/files/edge/check-others'), 'utf8');
    const reaches = (): Promise<boolean> =>
      lab.b.run(['bash', '-c', script, 'check-others', '9', '10.9.0.99', addresses.a]).then(
        () => true,
        () => false,
      );
    expect(await reaches()).toBe(true);
    await lab.network.cutOff('b', 'hosts');
    expect(await reaches()).toBe(false);
    await lab.b.run(['sh', '-c', 'mkdir -p /run/tocsin && touch /run/tocsin/keep-address']);
    expect(await reaches()).toBe(true);
    await lab.b.run(['rm', '/run/tocsin/keep-address']);
    await lab.network.heal();
    await lab.network.drop('b', 'a');
    expect(await reaches()).toBe(false);
  });

  it('takes the carrier of an unplugged host', async () => {
    const carrier = (): Promise<string> => lab.b.run(['cat', '/sys/class/net/eth0/carrier']);
    expect(await carrier()).toBe('1\n');
    await lab.network.unplug('b');
    expect(await carrier()).toBe('0\n');
    await lab.network.heal();
    await heard('a', 'b');
    expect(await carrier()).toBe('1\n');
  });

  it('loses some packets on a bad link, and says what it does', async () => {
    expect(await lab.network.slow('b', { lossPercent: 25 })).toMatch(/loss 25%|every 4th packet/);
    words += 1;
    const text = `word-${words}.`;
    await say(OUTSIDE, 'b', text, 400);
    await lab.network.heal();
    await heard('outside', 'b');
    const arrived = await count(lab.b, text);
    expect(arrived).toBeGreaterThan(200);
    expect(arrived).toBeLessThan(380);
  });

  it('keeps a fault while its host is off', async () => {
    await lab.network.cutOff('b');
    await lab.b.powerOff();
    await lab.b.powerOn();
    const text = await unheard('outside', 'b');
    await lab.network.heal();
    await heard('outside', 'b');
    expect(await count(lab.b, text)).toBe(0);
  });
});
