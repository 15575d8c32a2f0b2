export { Cache } from './cache.ts';
export { CacheModule } from './cache.module.ts';
export type { Answer, CacheOptions, GetOptions } from './types.ts';
