export { type Clock, systemClock } from './clock.ts';
export { durationMs, isDuration } from './duration.ts';
export { type ErrorCode, type FieldError, TocsinError, type TocsinErrorOptions } from './errors.ts';
export { hash32, idFrom, newId } from './ids.ts';
export { heartbeatKey, isSealed, monitorOfHeartbeatKey, openSecret, sealSecret } from './seal.ts';
export { dueAt, type Grid, gridOf, nextWindow, shardOf, windowAt } from './windows.ts';
