import { setTimeout as delay } from 'node:timers/promises';
import type { Slowness } from '@tocsin/lab';
import type { Fault as FaultOf, Scenario } from '../trial/scenario.ts';
import type { Site } from './site.ts';

/** What is done to the data centre. */
export type Fault = FaultOf<Site>;

/** One row of the lab's table. */
export type LabScenario = Scenario<Site>;

/** Chooses the host that is struck. */
export type Aim = (site: Site) => Promise<string> | string;

/** All its processes are killed and its links are gone; after a while it is switched on again. */
export function powerOff(aim: Aim, forMs: number): Fault {
  return lasting(aim, forMs, {
    begin: (site, name) => site.host(name).powerOff(),
    end: (site, name) => site.host(name).powerOn(),
  });
}

/** It lives, and packets vanish between it and the others; clients and targets reach it still, or not. */
export function cutOff(aim: Aim, from: 'hosts' | 'all', forMs: number): Fault {
  return inNetwork(aim, forMs, (site, name) => site.centre.network.cutOff(name, from));
}

/** It hears the others, and they don't hear it. */
export function unheard(aim: Aim, forMs: number): Fault {
  return inNetwork(aim, forMs, async (site, name) => {
    for (const other of site.othersThan(name)) await site.centre.network.drop(name, other);
  });
}

/** Its network card is lost. */
export function unplug(aim: Aim, forMs: number): Fault {
  return inNetwork(aim, forMs, (site, name) => site.centre.network.unplug(name));
}

/** Its cable is slow and loses packets. */
export function slow(aim: Aim, how: Slowness, forMs: number): Fault {
  return inNetwork(aim, forMs, async (site, name) => {
    console.log(`  the link of ${name}: ${await site.centre.network.slow(name, how)}`);
  });
}

/** SIGKILL to all that a unit runs; what runs the host starts it again. */
export function killUnit(unit: string, aim: Aim): Fault {
  return lasting(aim, 0, {
    begin: (site, name) => site.host(name).signal(unit, 'SIGKILL', 'all'),
    end: () => Promise.resolve(),
  });
}

/** SIGSTOP to all that a unit runs. */
export function freezeUnit(unit: string, aim: Aim, forMs: number): Fault {
  return lasting(aim, forMs, {
    begin: (site, name) => site.host(name).signal(unit, 'SIGSTOP', 'all'),
    end: (site, name) => site.host(name).signal(unit, 'SIGCONT', 'all'),
  });
}

/** SIGSTOP to all that a host runs. */
export function freezeHost(aim: Aim, forMs: number): Fault {
  return lasting(aim, forMs, {
    begin: (site, name) => site.host(name).freeze(true),
    end: (site, name) => site.host(name).freeze(false),
  });
}

/** Host after host, group after group: restarted in order, and the next one follows when all is whole, and some time later. */
export function restartInTurn(groups: readonly { units: readonly string[]; restMs: number }[]): Fault {
  return async (site) => {
    const at = Date.now();
    for (const name of site.hosts) {
      for (const { units, restMs } of groups) {
        await site.host(name).units('restart', ...units);
        await site.whole();
        await delay(restMs);
      }
    }
    return { at, victims: site.hosts };
  };
}

/** Everything is stopped in order and switched off, and on again. */
export const coldStart: Fault = async (site) => {
  const at = Date.now();
  await site.centre.shutDown();
  await site.centre.powerOn();
  await site.whole();
  return { at, victims: site.hosts };
};

function inNetwork(aim: Aim, forMs: number, begin: (site: Site, name: string) => Promise<void>): Fault {
  return lasting(aim, forMs, { begin, end: (site) => site.centre.network.heal() });
}

function lasting(
  aim: Aim,
  forMs: number,
  { begin, end }: Record<'begin' | 'end', (site: Site, name: string) => Promise<void>>,
): Fault {
  return async (site) => {
    const victim = await aim(site);
    const at = Date.now();
    await begin(site, victim);
    await delay(forMs);
    await end(site, victim);
    await site.whole();
    return { at, victims: [victim] };
  };
}
