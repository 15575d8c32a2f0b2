export { backoff, type BackoffOptions, jitter, spread } from './time/backoff.ts';
export { type Clock, systemClock } from './time/clock.ts';
export { currentDeadline, withDeadline } from './time/deadline-scope.ts';
export { durationMs, isDuration } from './time/duration.ts';
export {
  type ErrorCode,
  type FieldError,
  isErrorCode,
  isLastingRefusal,
  type RecordedRefusal,
  recordRefusal,
  refusalError,
  TocsinError,
  type TocsinErrorOptions,
} from './errors.ts';
export { Loop, type Period } from './time/loop.ts';
export { sleep, unlessAborted } from './time/sleep.ts';
export { within } from './time/within.ts';
export { asciiHost } from './targets/hostname.ts';
export { hash32, idFrom, newId } from './ids.ts';
export {
  heartbeatKey,
  heartbeatKeysOf,
  isSealed,
  isSealedAddress,
  monitorOfHeartbeatKey,
  openSecret,
  sealSecret,
  type SecretKeys,
  tokenSecret,
} from './seal/seal.ts';
export { isCertificates, keyPairProblem } from './seal/key-pair.ts';
export { type SealKeys, Sealing } from './seal/sealing.ts';
export { redactSecrets } from './seal/redact.ts';
export {
  parseTargets,
  type TargetEntry,
  targetEntry,
  type TargetGuard,
  type TargetRefusal,
  TargetRules,
} from './targets/targets.ts';
export { dueAt, type Grid, gridOf, nextWindow, shardOf, windowAt } from './time/windows.ts';
export { confirmationOverdueAt, decide, pressConfirmations } from './decide/decide.ts';
export {
  decideOverdue,
  decidePing,
  expectedAfter,
  HEARTBEAT_LOCATION,
  overdueAt,
  type Ping,
  type HeartbeatState,
  type HeartbeatDecision,
  type HeartbeatWindow,
  type Schedule,
} from './decide/heartbeat.ts';
export { newState, pause, remove, resume, rewatch, silence } from './decide/life.ts';
export {
  type BadState,
  type DecidedChange,
  type CheckResult,
  type Confirmation,
  type Decision,
  type Folded,
  type IncidentChange,
  type LocationState,
  MANUAL_ATTEMPTS_FROM,
  type MonitorState,
  NO_RESULTS,
  type Rules,
  type StateChange,
  type StateName,
  type Verdict,
} from './decide/types.ts';
export { OUTCOME_CODES, OUTCOME_NAMES, VERDICT_CODES, VERDICT_NAMES } from './uptime/codes.ts';
export { type Histogram, histogramCount, latencyBucket, mergeHistogram } from './uptime/histogram.ts';
export { silenceMs } from './decide/quorum.ts';
export {
  type Coverage,
  coverageOf,
  dueIn,
  latencyOf,
  type Outcomes,
  type Owed,
  settleMs,
  type Span,
  Stretches,
  unsettledIn,
  uptimeOf,
  watchedUptime,
  windowsIn,
} from './uptime/uptime.ts';
