import { Global, Module, type DynamicModule, type Provider, type Type } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Cache } from '@tocsin/cache';
import { systemClock } from '@tocsin/core';
import { Database, Operations, Outbox } from '@tocsin/database';
import { Leases, Messaging, type RequestSpec } from '@tocsin/messaging';
import { Drain } from './drain.ts';
import { HandlerErrorsFilter } from './handler-errors.filter.ts';
import { Health } from './health.ts';
import { Periodic } from './periodic.ts';
import { pingController } from './ping.controller.ts';
import { CLOCK, CONFIG } from './tokens.ts';

/** The parts that every module of a service may inject; made before Nest starts, and closed after it has stopped. */
export interface Platform {
  config: object;
  health: Health;
  drain: Drain;
  messaging: Messaging;
  database?: Database;
  outbox?: Outbox;
  cache?: Cache;
}

@Global()
@Module({})
class PlatformModule {}

@Module({})
class RootModule {}

/** The module that Nest is started with: the platform's parts, and the service's own module. */
export function rootModule(platform: Platform, module: Type, ping: RequestSpec | undefined): DynamicModule {
  const providers = providersOf(platform);
  const shared: DynamicModule = {
    module: PlatformModule,
    // A provider and not `useGlobalFilters`: so a filter that the service's own module provides goes before it.
    providers: [...providers, { provide: APP_FILTER, useClass: HandlerErrorsFilter }],
    exports: providers.map((provider) => ('provide' in provider ? provider.provide : provider)),
    controllers: ping === undefined ? [] : [pingController(ping)],
  };
  return { module: RootModule, imports: [shared, module] };
}

function providersOf(platform: Platform): Provider[] {
  const { config, health, drain, messaging, database, outbox, cache } = platform;
  return [
    { provide: CONFIG, useValue: config },
    { provide: CLOCK, useValue: systemClock },
    { provide: Health, useValue: health },
    { provide: Drain, useValue: drain },
    { provide: Periodic, useValue: periodicUntil(drain) },
    { provide: Messaging, useValue: messaging },
    { provide: Leases, useValue: messaging.leases },
    ...(database ? [{ provide: Database, useValue: database }] : []),
    ...(outbox ? [{ provide: Outbox, useValue: outbox }] : []),
    ...(database && outbox ? [{ provide: Operations, useValue: operationsOf({ database, outbox, cache }) }] : []),
    ...(cache ? [{ provide: Cache, useValue: cache }] : []),
  ];
}

function periodicUntil(drain: Drain): Periodic {
  const periodic = new Periodic();
  drain.onStop('stop-taking', () => periodic.stop());
  return periodic;
}

function operationsOf({ database, outbox, cache }: { database: Database; outbox: Outbox; cache: Cache | undefined }) {
  return new Operations(database, outbox, cache ? { invalidate: (keys) => cache.invalidate(keys) } : {});
}
