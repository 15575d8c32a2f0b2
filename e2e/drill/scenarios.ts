import { type ServiceName, serviceNames } from '@tocsin/contracts';
import type { Overrides } from '../trial/report/promises.ts';
import { allOf, type Aim, type DrillScenario, oneOf } from './faults/fault.ts';
import { cut } from './faults/network-faults.ts';
import { freeze, kill, killAndHold, restartInTurn } from './faults/process-faults.ts';
import { deleteStreams } from './faults/stream-faults.ts';

/** Longer than any lease of a shard and any redelivery. */
const SERVICE_AWAY_MS = 3_000;
/** Longer than an election: that a node comes back is an event of its own. A frozen one is ended and back before (ADR 13). */
const NODE_AWAY_MS = 15_000;

/** Only a notifier that dies, or is cut off, between the receiver's answer and its own commit repeats a key. */
const MAY_REPEAT: Overrides = { alerts: { repeatedKeys: 10 } };

const ONE_OF_A_SERVICE: DrillScenario[] = serviceNames.flatMap((service) => {
  const failure = `one ${service}`;
  const allowed = service === 'notifier' ? MAY_REPEAT : {};
  const aim = oneOf(service);
  const short = ['scheduler', 'prober', 'incidents'].includes(service);
  return [
    { name: `${service}-killed`, failure, how: 'killed' as const, fault: kill(aim), allowed, short: true },
    { name: `${service}-frozen`, failure, how: 'frozen' as const, fault: freeze(aim, SERVICE_AWAY_MS), allowed, short },
    { name: `${service}-cut`, failure, how: 'cut' as const, fault: cut(aim, SERVICE_AWAY_MS), allowed, short: false },
  ];
});

/** With nobody there to do it, work waits, is late or missed; it is never lost unseen. */
const WHILE_AWAY: Overrides = {
  checks: { missed: Infinity, missedLong: Infinity, late: Infinity, worstLateMs: Infinity },
  alerts: { worstExtraMs: 2 * SERVICE_AWAY_MS + 7_000 },
  api: { refused: Infinity },
};

/** An alert that waits for a window that nobody was told of waits for the next one: an interval of 10 s later. */
const WITHOUT_SCHEDULER: Overrides = {
  ...WHILE_AWAY,
  alerts: { ...WHILE_AWAY.alerts, worstExtraMs: WHILE_AWAY.alerts!.worstExtraMs! + 10_000 },
};

const WITHOUT_NOTIFIER: Overrides = { ...WHILE_AWAY, alerts: { ...WHILE_AWAY.alerts, ...MAY_REPEAT.alerts } };

/** Without a gateway nobody is there to refuse. */
const WITHOUT_GATEWAY: Overrides = { ...WHILE_AWAY, api: { refused: Infinity, failed: Infinity } };

const WHILE_ALL_ARE_AWAY: Partial<Record<ServiceName, Overrides>> = {
  gateway: WITHOUT_GATEWAY,
  scheduler: WITHOUT_SCHEDULER,
  notifier: WITHOUT_NOTIFIER,
};

const ALL_OF_A_SERVICE: DrillScenario[] = serviceNames.map((service) => ({
  name: `every-${service}`,
  failure: `every ${service}`,
  how: 'killed',
  fault: killAndHold(allOf(service), SERVICE_AWAY_MS),
  allowed: WHILE_ALL_ARE_AWAY[service] ?? WHILE_AWAY,
  apart: true,
}));

/** Intervals of 10 s and more miss nothing; shorter ones may, and say so (docs/adr/010). */
const ELECTION: Overrides = {
  checks: { missed: Infinity, late: Infinity, worstLateMs: Infinity },
  alerts: { worstExtraMs: 12_000 },
};

const leader: Aim = async (stack) => [await stack.leaderOf('RESULTS')];
const follower: Aim = async (stack, strike) => {
  const leading = await stack.leaderOf('RESULTS');
  const others = stack.nodes.filter((node) => node !== leading);
  return [others[strike % others.length]!];
};

const NATS: DrillScenario[] = [['leader', leader] as const, ['follower', follower] as const].flatMap(([role, aim]) => {
  const failure = `one NATS node of three, the ${role} of the results`;
  return [
    {
      name: `nats-${role}-killed`,
      failure,
      how: 'killed' as const,
      fault: kill(aim),
      allowed: ELECTION,
      short: role === 'leader',
    },
    {
      name: `nats-${role}-frozen`,
      failure,
      how: 'frozen' as const,
      fault: freeze(aim, NODE_AWAY_MS),
      allowed: ELECTION,
    },
    {
      name: `nats-${role}-cut`,
      failure,
      how: 'cut' as const,
      fault: cut(aim, NODE_AWAY_MS),
      allowed: ELECTION,
    },
  ];
});

const redis: Aim = () => ['redis'];
const REDIS: DrillScenario[] = [
  {
    name: 'redis-killed',
    failure: 'all of Redis',
    how: 'killed',
    fault: killAndHold(redis, SERVICE_AWAY_MS),
    short: true,
  },
  { name: 'redis-frozen', failure: 'all of Redis', how: 'frozen', fault: freeze(redis, SERVICE_AWAY_MS) },
  { name: 'redis-cut', failure: 'all of Redis', how: 'cut', fault: cut(redis, SERVICE_AWAY_MS) },
];

/**
 * Nothing takes the place of the one database: that is for the lab. Checks go on and results wait, so alerts come when it is
 * back. Reads are stale, and writes are accepted.
 */
const NO_DATABASE: Overrides = { alerts: { worstExtraMs: 15_000, ...MAY_REPEAT.alerts } };
const database: Aim = () => ['postgres'];
const POSTGRES: DrillScenario[] = [
  {
    name: 'postgres-killed',
    failure: 'all of PostgreSQL',
    how: 'killed',
    fault: killAndHold(database, SERVICE_AWAY_MS),
    allowed: NO_DATABASE,
    short: true,
  },
  {
    name: 'postgres-frozen',
    failure: 'all of PostgreSQL',
    how: 'frozen',
    fault: freeze(database, SERVICE_AWAY_MS),
    allowed: NO_DATABASE,
    short: true,
  },
  {
    name: 'postgres-cut',
    failure: 'all of PostgreSQL',
    how: 'cut',
    fault: cut(database, SERVICE_AWAY_MS),
    allowed: NO_DATABASE,
  },
];

/** One of everything that there are several of, at once. The lab switches off whole hosts, with the primary of the database. */
const host: Aim = (stack) => [...serviceNames.map((service) => stack.instances(service)[0]!), stack.nodes[0]!];
const everyNode: Aim = (stack) => stack.nodes;

const TOGETHER: DrillScenario[] = [
  {
    name: 'host',
    failure: 'one instance of each service and a NATS node',
    how: 'killed',
    fault: kill(host),
    allowed: { ...ELECTION, alerts: { ...ELECTION.alerts, ...MAY_REPEAT.alerts } },
    apart: true,
  },
  {
    name: 'broker-away',
    failure: 'the whole broker, for 3 s',
    how: 'killed',
    fault: killAndHold(everyNode, SERVICE_AWAY_MS),
    allowed: { ...WHILE_AWAY, alerts: { worstExtraMs: 25_000 } },
    apart: true,
  },
  {
    name: 'streams-deleted',
    failure: 'a stream, by turns EVENTS, CONFIG, CHECKS, RESULTS',
    how: 'deleted',
    fault: deleteStreams(['EVENTS', 'CONFIG', 'CHECKS', 'RESULTS']),
    allowed: {
      checks: { missed: Infinity, missedLong: Infinity, late: Infinity, worstLateMs: Infinity },
      alerts: { worstExtraMs: 15_000 },
    },
    apart: true,
  },
];

const ROLLING: DrillScenario = {
  name: 'rolling-restart',
  failure: 'a rolling restart of every service',
  how: 'restarted',
  fault: restartInTurn((stack) => stack.instances()),
  apart: true,
  rounds: 2,
  short: true,
};

/** Every scenario whose parts the drill does not make itself. */
export const scenarios: readonly DrillScenario[] = [
  ...ONE_OF_A_SERVICE,
  ...ALL_OF_A_SERVICE,
  ...NATS,
  ...REDIS,
  ...POSTGRES,
  ...TOGETHER,
  ROLLING,
];
