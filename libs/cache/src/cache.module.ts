import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Cache } from './cache.ts';
import type { CacheOptions } from './types.ts';

/** Gives every module of a service its Cache, and closes it when the service stops. */
@Module({})
export class CacheModule implements OnApplicationShutdown {
  constructor(private readonly cache: Cache) {}

  /** @param options the options, or a function that makes them (called once, when the module is built) */
  static forRoot(options: CacheOptions | (() => CacheOptions)): DynamicModule {
    const cache = {
      provide: Cache,
      useFactory: () => new Cache(typeof options === 'function' ? options() : options),
    };
    return { module: CacheModule, global: true, providers: [cache], exports: [Cache] };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.cache.close();
  }
}
