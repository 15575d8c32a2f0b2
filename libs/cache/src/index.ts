export { Cache } from './cache.ts';
export { CacheModule } from './cache.module.ts';
export { LastGood } from './last-good.ts';
export type { Answer, CacheOptions, GetOptions } from './types.ts';
