export { instance, type Instance } from './instance.ts';
export { logger, type Log, type LogFields, type LogMethod } from './logger.ts';
export { metricsText } from './metrics.ts';
export { NestLogger } from './nest-logger.ts';
export { redactText } from './redact.ts';
export { startTelemetry, stopTelemetry } from './start.ts';
export {
  carriesTrace,
  carryTrace,
  continueTrace,
  isSampled,
  traceOf,
  type SendableHeaders,
  type TraceHeaders,
} from './trace-context.ts';
export { withSpan, type SpanSettings } from './with-span.ts';
