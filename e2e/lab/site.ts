import { serviceNames } from '@tocsin/contracts';
import { ports } from '@tocsin/hosts';
import { type DataCentre, type Host, serverUnits, serviceUnits } from '@tocsin/lab';
import { type BrokerLogin, messagesIn, streamLeader, streamsAreWhole, until } from '@tocsin/testing';
import { type Ask, askOneOf } from '../trial/oracle/database.ts';
import type { Breakable } from '../trial/trial.ts';
import { untilWhole } from '../trial/until-whole.ts';

const ASK_MS = 2_000;
const WHOLE_EVERY_MS = 500;
/** A host that comes back has to hear of the others, to rewind its database and to catch up with every stream. */
const WHOLE_WITHIN_MS = 150_000;
const FOUND_WITHIN_MS = 30_000;

/** The running data centre as somebody who operates it sees it: who is what at the moment, and whether all is well. */
export class Site implements Breakable {
  /** The broker's operator. */
  readonly broker: BrokerLogin;

  constructor(readonly centre: DataCentre) {
    const { hosts, secrets } = centre.deployment;
    this.broker = {
      urls: hosts.map(({ address }) => `tls://${address}:${ports.nats.clients}`),
      user: 'operator',
      password: secrets.nats.operator,
    };
  }

  /** By name. */
  get hosts(): string[] {
    return [...this.centre.hosts.keys()];
  }

  host(name: string): Host {
    return this.centre.host(name);
  }

  othersThan(name: string): string[] {
    return this.hosts.filter((other) => other !== name);
  }

  /** Who holds the floating address. */
  holder(): Promise<string> {
    const [address] = this.centre.deployment.edge.addresses;
    return this.theOneThat('holds the floating address', async (host) =>
      (await host.run(['ip', '-o', '-4', 'address'])).includes(` ${address}/`),
    );
  }

  /** Whose PostgreSQL takes writes. */
  databasePrimary(): Promise<string> {
    return this.theOneThat(
      'has the primary of the database',
      async (host) => (await this.sql(host, IS_PRIMARY)) === 't',
    );
  }

  /** Whose Redis takes writes. */
  cachePrimary(): Promise<string> {
    return this.theOneThat('has the primary of the cache', async (host) =>
      (await this.redis(host)).includes('role:master'),
    );
  }

  /** Whose NATS leads a stream. */
  leaderOf(stream: string): Promise<string> {
    return until(() => streamLeader(this.broker, stream), {
      timeoutMs: FOUND_WITHIN_MS,
      what: `a leader of ${stream}`,
    });
  }

  backlog(): Promise<number> {
    return messagesIn(this.broker, 'CHECKS', 'RESULTS');
  }

  /** One statement at the primary of the database, as its superuser, by its socket. */
  readonly ask: Ask = (text, values) => {
    const statement = text.replaceAll(/\$(\d)/g, (_, n: string) => String(values[Number(n) - 1]));
    const rows = `SELECT coalesce(json_agg(row), '[]') FROM (${statement}) AS row`;
    return askOneOf(this.on(), async (host) => {
      if ((await this.sql(host, IS_PRIMARY)) !== 't') throw new Error(`${host.name} is a standby`);
      return JSON.parse(await this.sql(host, rows, 20));
    });
  };

  /** Writes down at once what the database of a host has changed. */
  async checkpoint(name: string): Promise<void> {
    await this.sql(this.host(name), 'CHECKPOINT', 60);
  }

  /** Waits until every host is on, everything runs and is ready, and every copy of everything follows. */
  async whole(): Promise<void> {
    await untilWhole(() => this.missing(), { withinMs: WHOLE_WITHIN_MS, everyMs: WHOLE_EVERY_MS });
  }

  async heal(): Promise<void> {
    await this.centre.network.heal();
    await Promise.all(this.on().map((host) => host.freeze(false)));
    await this.centre.powerOn();
    await this.whole();
  }

  private on(): Host[] {
    return [...this.centre.hosts.values()].filter(({ isOn }) => isOn);
  }

  /** The first host of which something holds. */
  private async theOneThat(what: string, holds: (host: Host) => Promise<boolean>): Promise<string> {
    const find = async (): Promise<string | undefined> => {
      const held = await Promise.all(this.on().map((host) => holds(host).catch(() => false)));
      return this.on()[held.indexOf(true)]?.name;
    };
    return await until(find, { timeoutMs: FOUND_WITHIN_MS, everyMs: 200, what: `a host that ${what}` });
  }

  private async missing(): Promise<string[]> {
    const off = this.hosts.filter((name) => !this.host(name).isOn).map((name) => `${name} is off`);
    if (off.length > 0) return off;
    const [units, services, streams, databases, caches] = await Promise.all([
      this.unitsAway(),
      this.servicesUnready(),
      streamsAreWhole(this.broker),
      this.followersOfDatabase(),
      this.followersOfCache(),
    ]);
    return [
      ...units,
      ...services,
      ...(streams ? [] : ['a stream lacks a copy']),
      ...(databases === this.hosts.length - 1 ? [] : [`${databases} standbys follow`]),
      ...(caches === this.hosts.length - 1 ? [] : [`${caches} replicas follow`]),
    ];
  }

  private async unitsAway(): Promise<string[]> {
    const away = this.on().map(async (host) => {
      const status = await host.status();
      const wanted = [...serverUnits, ...serviceUnits].filter((unit) => status[unit]?.state !== 'running');
      return wanted.map((unit) => `${unit} of ${host.name} is ${status[unit]?.state}`);
    });
    return (await Promise.all(away)).flat();
  }

  private async servicesUnready(): Promise<string[]> {
    const { hosts } = this.centre.deployment;
    const asked = hosts.flatMap(({ name, address }) =>
      serviceNames.map(async (service) => {
        const url = `http://${address}:${ports.services[service]}/health/ready`;
        const ready = await fetch(url, { signal: AbortSignal.timeout(ASK_MS) }).then(
          async (response) => (await response.arrayBuffer(), response.ok),
          () => false,
        );
        return ready ? [] : [`${service} of ${name} is not ready`];
      }),
    );
    return (await Promise.all(asked)).flat();
  }

  private async followersOfDatabase(): Promise<number> {
    const counts = this.on().map((host) => this.sql(host, FOLLOWERS).then(Number, () => 0));
    return Math.max(0, ...(await Promise.all(counts)));
  }

  private async followersOfCache(): Promise<number> {
    const counts = this.on().map(async (host) => {
      const said = await this.redis(host).catch(() => '');
      return said.includes('role:master') ? Number(/connected_slaves:(\d+)/.exec(said)?.[1] ?? 0) : 0;
    });
    return Math.max(0, ...(await Promise.all(counts)));
  }

  /** @param seconds after which a server that says nothing, as a frozen one, is given up */
  private async sql(host: Host, statement: string, seconds = 3): Promise<string> {
    const psql = `/usr/lib/postgresql/${this.centre.deployment.postgresql}/bin/psql`;
    const as = ['timeout', String(seconds), 'runuser', '-u', 'tocsin-postgres', '--'];
    const where = ['-h', '/run/tocsin/postgres', '-U', 'tocsin_admin', '-d', 'tocsin'];
    return (await host.run([...as, psql, '-XAtqw', ...where, '-c', statement])).trim();
  }

  private async redis(host: Host): Promise<string> {
    const { gateway } = this.centre.deployment.secrets.redis;
    const as = [
      'timeout',
      '2',
      'env',
      `REDISCLI_AUTH=${gateway}`,
      'redis-cli',
      '--user',
      'gateway',
      '--no-auth-warning',
    ];
    return await host.run([...as, '-s', '/run/tocsin/redis/redis.sock', 'info', 'replication']);
  }
}

const IS_PRIMARY = 'SELECT NOT pg_is_in_recovery()';
const FOLLOWERS = `SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'quorum'`;
