export type { HttpSettings } from './application.ts';
export { CONFIG_EXIT_CODE, ConfigError, readConfig, type ConfigProblem } from './config.ts';
export type { DatabaseSettings } from './connect.ts';
export { Drain, type StopPhase } from './drain.ts';
export { Health, type DependencyHealth, type HealthCheck, type HealthReport } from './health.ts';
export { secretKeys, type PlatformConfig } from './platform.config.ts';
export { toProblem, type Problem } from './problem.ts';
export { runService, type ServiceSettings } from './run-service.ts';
export { CLOCK, CONFIG } from './tokens.ts';
