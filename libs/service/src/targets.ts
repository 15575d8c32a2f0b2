import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type TargetEntry, targetEntry, type TargetGuard, type TargetRefusal, TargetRules, within } from '@tocsin/core';
import type { PlatformConfig } from './platform.config.ts';
import { type Endpoint, hostsOf, type TargetLists } from './targets.config.ts';
import { CONFIG } from './tokens.ts';

/** How often the names of the deployment's own servers are looked up again: they move. */
const LOOK_MS = 15_000;
/** The first look is waited for, but not for a name server that is silent. */
const FIRST_LOOK_MS = 2_000;

/**
 * Where this deployment opens connections to for monitors and channels: by the operator's lists, and never to NATS, Redis
 * or PostgreSQL as this process knows them from its environment, whose names are looked up beforehand and again and again.
 */
@Injectable()
export class Targets implements TargetGuard, OnModuleInit, OnApplicationShutdown {
  private readonly own: readonly Endpoint[];
  private readonly known = new Map<string, TargetEntry[]>();
  private rules: TargetRules;
  private timer: NodeJS.Timeout | undefined;

  constructor(@Inject(CONFIG) private readonly config: PlatformConfig & { targets: TargetLists }) {
    this.own = [...config.targets.own, ...serversOf(config)];
    for (const endpoint of this.own) if (isIP(endpoint.host) !== 0) this.keep(endpoint, [endpoint.host]);
    this.rules = this.made();
  }

  refusal(address: string, port: number): TargetRefusal | undefined {
    return this.rules.refusal(address, port);
  }

  async onModuleInit(): Promise<void> {
    await within(this.look(), FIRST_LOOK_MS, () => undefined);
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Looks all names up. One that does not resolve stays where it was last. */
  private async look(): Promise<void> {
    const named = this.own.filter(({ host }) => isIP(host) === 0);
    if (named.length === 0) return;
    await Promise.all(
      named.map(async (endpoint) => {
        const found = await lookup(endpoint.host, { all: true }).catch(() => []);
        if (found.length > 0)
          this.keep(
            endpoint,
            found.map(({ address }) => address),
          );
      }),
    );
    this.rules = this.made();
    this.timer = setTimeout(() => void this.look(), LOOK_MS).unref();
  }

  private keep({ host, port }: Endpoint, addresses: readonly string[]): void {
    const name = port === undefined ? host : `${host}:${port}`;
    this.known.set(
      name,
      addresses.flatMap((address) => targetEntry(address, port, OWN) ?? []),
    );
  }

  private made(): TargetRules {
    const { deny, allow } = this.config.targets;
    return new TargetRules({ deny, allow, own: [...this.known.values()].flat() });
  }
}

/** Which of them it is, is not for everybody who may write a monitor. */
const OWN = "one of Tocsin's own servers";

const PORT = { nats: 4_222, redis: 6_379, sentinel: 26_379, postgres: 5_432 };

/** The servers that this process has the addresses of. */
function serversOf({ natsUrls, redisUrl, databaseUrl, databaseReplicaUrl }: PlatformConfig): Endpoint[] {
  const databases = [databaseUrl, databaseReplicaUrl].flatMap((url) => (url === undefined ? [] : [url]));
  return [
    ...natsUrls.flatMap((url) => hostsOf(url, PORT.nats)),
    ...(redisUrl === undefined ? [] : hostsOf(redisUrl, /\+sentinel:/.test(redisUrl) ? PORT.sentinel : PORT.redis)),
    ...databases.flatMap((url) => hostsOf(url, PORT.postgres)),
  ];
}
