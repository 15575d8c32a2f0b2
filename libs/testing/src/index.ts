export { atTheEnd } from './cleanup.ts';
export { natsServer, postgres, redisServer, type TestDatabase } from './servers.ts';
export { until } from './until.ts';
