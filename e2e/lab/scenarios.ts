import { serviceUnits } from '@tocsin/lab';
import type { Overrides } from '../trial/report/promises.ts';
import {
  type Aim,
  coldStart,
  cutOff,
  type Fault,
  freezeHost,
  freezeUnit,
  killUnit,
  type LabScenario,
  powerOff,
  restartInTurn,
  slow,
  unheard,
  unplug,
} from './faults.ts';
import { restore } from './restore.ts';

/** Longer than an election, a failover of the database, and both of them one after the other. */
const AWAY_MS = 25_000;
const FROZEN_MS = 15_000;

/** Short intervals may miss windows while a leader is elected (docs/adr/010); alerts wait for the database. */
const HOST_LOST: Overrides = {
  checks: { missed: Infinity, late: Infinity, worstLateMs: Infinity },
  alerts: { worstExtraMs: 15_000, repeatedKeys: 10 },
};
const ELECTION: Overrides = { ...HOST_LOST, alerts: { worstExtraMs: 12_000 } };
/** One standby of two is enough for a commit. */
const STANDBY_LOST: Overrides = { alerts: { worstExtraMs: 8_000 } };
const FAILOVER: Overrides = { alerts: { worstExtraMs: 15_000, repeatedKeys: 10 } };
/** Nothing works meanwhile; nothing is lost unseen. */
const NOTHING_THERE: Overrides = {
  checks: { missed: Infinity, missedLong: Infinity, late: Infinity, worstLateMs: Infinity },
  alerts: { worstExtraMs: Infinity, repeatedKeys: 10 },
  api: { failed: Infinity, refused: Infinity },
  address: { awayMs: Infinity },
};
const FROZEN_ADDRESS: Overrides = { address: { awayMs: 3_000 } };

const holder: Aim = (site) => site.holder();
const leader: Aim = (site) => site.leaderOf('RESULTS');
const cachePrimary: Aim = (site) => site.cachePrimary();
const databasePrimary: Aim = (site) => site.databasePrimary();
const databaseStandby: Aim = async (site) => site.othersThan(await site.databasePrimary())[0]!;

/** After which another host must have the role. */
function takenOver(role: Aim, fault: Fault): Fault {
  return async (site, strike) => {
    const done = await fault(site, strike);
    const now = await role(site);
    if (done.victims.includes(now)) throw new Error(`${now} has its role still: nobody took over`);
    return done;
  };
}

const HOSTS: LabScenario[] = ['a', 'b', 'c'].map((name) => ({
  name: `host-${name}-off`,
  failure: `host ${name}, with all that it runs`,
  how: 'switched off',
  fault: powerOff(() => name, AWAY_MS),
  allowed: HOST_LOST,
}));

const NETWORK: LabScenario[] = [
  {
    name: 'partition-hosts',
    failure: 'a host, from the other two alone; it has the primary of the database',
    how: 'cut',
    fault: takenOver(databasePrimary, cutOff(databasePrimary, 'hosts', AWAY_MS)),
    // Both sides hold the floating address until the one that is cut off gives it up.
    allowed: HOST_LOST,
  },
  {
    name: 'partition-all',
    failure: 'a host, from everything; it has the primary of the database',
    how: 'cut',
    fault: takenOver(databasePrimary, cutOff(databasePrimary, 'all', AWAY_MS)),
    allowed: HOST_LOST,
  },
  {
    name: 'unheard',
    failure: 'a host that hears the others and is not heard; it has the floating address',
    how: 'cut',
    fault: unheard(holder, AWAY_MS),
    allowed: HOST_LOST,
  },
  {
    name: 'slow-link',
    failure: 'a slow and lossy link of a host: 100 ms, 2 % lost',
    how: 'slowed',
    fault: slow(leader, { delayMs: 100, lossPercent: 2 }, AWAY_MS),
    allowed: HOST_LOST,
  },
  {
    name: 'card-lost',
    failure: 'the network card of the host with the floating address',
    how: 'cut',
    fault: takenOver(holder, unplug(holder, AWAY_MS)),
    allowed: HOST_LOST,
  },
];

const PARTS: LabScenario[] = [
  {
    name: 'balancer-killed',
    failure: 'the balancer that holds the floating address',
    how: 'killed',
    fault: killUnit('tocsin-haproxy.service', holder),
  },
  {
    name: 'balancer-frozen',
    failure: 'the balancer that holds the floating address',
    how: 'frozen',
    fault: takenOver(holder, freezeUnit('tocsin-haproxy.service', holder, FROZEN_MS)),
    allowed: FROZEN_ADDRESS,
    short: true,
  },
  {
    name: 'nats-leader-killed',
    failure: 'the NATS node that leads the results',
    how: 'killed',
    fault: killUnit('tocsin-nats.service', leader),
    allowed: ELECTION,
  },
  {
    name: 'nats-leader-frozen',
    failure: 'the NATS node that leads the results',
    how: 'frozen',
    fault: freezeUnit('tocsin-nats.service', leader, FROZEN_MS),
    allowed: ELECTION,
  },
  {
    name: 'redis-primary-killed',
    failure: 'the Redis primary',
    how: 'killed',
    fault: killUnit('tocsin-redis.service', cachePrimary),
  },
  {
    name: 'redis-primary-frozen',
    failure: 'the Redis primary',
    how: 'frozen',
    fault: takenOver(cachePrimary, freezeUnit('tocsin-redis.service', cachePrimary, FROZEN_MS)),
    short: true,
  },
  {
    name: 'postgres-primary-killed',
    failure: 'the PostgreSQL primary',
    how: 'killed',
    fault: takenOver(databasePrimary, killUnit('tocsin-postgres.service', databasePrimary)),
    allowed: FAILOVER,
  },
  {
    name: 'postgres-primary-frozen',
    failure: 'the PostgreSQL primary',
    how: 'frozen',
    fault: takenOver(databasePrimary, freezeUnit('tocsin-postgres.service', databasePrimary, AWAY_MS)),
    allowed: FAILOVER,
  },
  {
    name: 'postgres-standby-killed',
    failure: 'a PostgreSQL standby',
    how: 'killed',
    fault: killUnit('tocsin-postgres.service', databaseStandby),
    allowed: STANDBY_LOST,
  },
  {
    name: 'postgres-standby-frozen',
    failure: 'a PostgreSQL standby',
    how: 'frozen',
    fault: freezeUnit('tocsin-postgres.service', databaseStandby, AWAY_MS),
    allowed: STANDBY_LOST,
  },
  {
    name: 'host-frozen',
    failure: 'the host with the floating address, with all that it runs',
    how: 'frozen',
    fault: freezeHost(holder, AWAY_MS),
    allowed: { ...HOST_LOST, ...FROZEN_ADDRESS },
  },
];

const ALL: LabScenario[] = [
  {
    name: 'rolling-upgrade',
    failure: 'every sub-service and every server, host after host, as the handbook upgrades them',
    how: 'restarted',
    fault: restartInTurn([
      { units: serviceUnits, restMs: 0 },
      { units: ['tocsin-nats.service'], restMs: 20_000 },
      { units: ['tocsin-redis.service', 'tocsin-sentinel.service'], restMs: 0 },
      { units: ['tocsin-postgres.service'], restMs: 0 },
      { units: ['tocsin-haproxy.service'], restMs: 0 },
    ]),
    allowed: FAILOVER,
  },
  {
    name: 'cold-start',
    failure: 'everything: a full stop and a cold start',
    how: 'stopped',
    fault: coldStart,
    allowed: NOTHING_THERE,
  },
  {
    name: 'restore',
    failure: 'the database on every host: brought back from a backup',
    how: 'deleted',
    fault: restore,
    allowed: NOTHING_THERE,
  },
];

/** Every scenario of the lab, in the order in which they are run. */
export const scenarios: readonly LabScenario[] = [...HOSTS, ...NETWORK, ...PARTS, ...ALL];
