export { type Answer, Cache, type CacheOptions, type GetOptions } from './cache.ts';
export { CacheModule } from './cache.module.ts';
