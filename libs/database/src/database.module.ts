import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Database } from './database.ts';
import { Outbox } from './outbox/outbox.ts';
import type { DatabaseOptions } from './types.ts';

/** Gives every module of a service its Database and Outbox, and closes the pool when the service stops. */
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(private readonly database: Database) {}

  /** @param options the options, or a function that makes them (called once, when the module is built) */
  static forRoot(options: DatabaseOptions | (() => DatabaseOptions)): DynamicModule {
    const database = {
      provide: Database,
      useFactory: () => new Database(typeof options === 'function' ? options() : options),
    };
    const outbox = { provide: Outbox, useFactory: () => new Outbox() };
    return { module: DatabaseModule, global: true, providers: [database, outbox], exports: [Database, Outbox] };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.close();
  }
}
