export { Cache } from './cache.ts';
export { LastGood } from './last-good.ts';
export type { Answer, CacheOptions, GetOptions } from './types.ts';
