import { isSpanContextValid, logs, SeverityNumber, trace, type Attributes, type Logger } from '@opentelemetry/api';
import { systemClock } from '@tocsin/core';
import { pino, stdTimeFunctions, type DestinationStream, type Level } from 'pino';
import { instance } from './instance.ts';
import { redact, redactText } from './redact.ts';
import { Repetition } from './repetition.ts';

export type LogFields = Record<string, unknown>;

/** A line is a message, or fields and a message; an error goes under `err`. */
export interface LogMethod {
  (message: string): void;
  (fields: LogFields, message: string): void;
}

export interface Log {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
}

/** The context of what the OpenTelemetry SDK reports of itself. Those lines are not exported, or each failed export would cause another. */
export const DIAGNOSTICS = 'opentelemetry';

const SEVERITY: Record<Level, SeverityNumber> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
  fatal: SeverityNumber.FATAL,
};

const readable = process.stdout.isTTY === true || process.env['TOCSIN_LOG_FORMAT'] === 'pretty';
const pretty = readable ? (await import('pino-pretty')).default : undefined;

let destination: DestinationStream = pretty
  ? pretty({ sync: true, ignore: 'pid,hostname,service,instance', translateTime: 'SYS:HH:MM:ss.l', singleLine: true })
  : process.stdout;
let root: pino.Logger | undefined;
const repetition = new Repetition(systemClock);

function rootLogger(): pino.Logger {
  root ??= pino(
    {
      level: levelFrom(process.env['TOCSIN_LOG_LEVEL']),
      base: { service: instance.service, instance: instance.id },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (value: unknown) => value },
      mixin: traceIds,
    },
    destination,
  );
  return root;
}

/**
 * The log of one part of the program. Lines are JSON on stdout with `trace_id` and `span_id` (readable text when a
 * terminal is attached), and OpenTelemetry gets the same lines, where logs are exported. Secrets are hidden by key, and a
 * line that repeats too fast is held back and counted.
 */
export function logger(context: string): Log {
  const exported = context === DIAGNOSTICS ? undefined : logs.getLogger(context);
  const method = (level: Level): LogMethod => {
    return (first: LogFields | string, message?: string) => {
      const pinoLogger = rootLogger();
      if (!pinoLogger.isLevelEnabled(level)) return;
      const text = typeof first === 'string' ? first : (message ?? '');
      const { admitted, held } = isBounded(level) ? repetition.admit(context, text) : { admitted: true, held: 0 };
      if (!admitted) return;
      const fields = {
        ...(typeof first === 'string' ? {} : (redact(first) as LogFields)),
        ...(held > 0 ? { held } : {}),
      };
      const shown = redactText(text);
      pinoLogger[level]({ context, ...fields }, shown);
      if (exported?.enabled({ severityNumber: SEVERITY[level] })) exportLine(exported, level, shown, fields);
    };
  };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
  };
}

/** The line as OpenTelemetry's logs have it; the ids of the trace are added there. */
function exportLine(to: Logger, level: Level, body: string, { err, ...attributes }: LogFields): void {
  const exception = exceptionOf(err);
  to.emit({
    severityNumber: SEVERITY[level],
    severityText: level,
    body,
    attributes: { ...attributes, ...exception },
  });
}

function exceptionOf(err: unknown): Attributes {
  if (typeof err !== 'object' || err === null) return err === undefined ? {} : { err };
  const { type, message, stack, ...rest } = err as LogFields;
  return {
    'exception.type': type,
    'exception.message': message,
    'exception.stacktrace': stack,
    ...(Object.keys(rest).length > 0 ? { 'exception.details': rest } : {}),
  };
}

/** Makes the next line use the instance's present name, and optionally another destination (for tests). */
export function resetLogger(to?: DestinationStream): void {
  root = undefined;
  if (to) destination = to;
}

function isBounded(level: Level): boolean {
  return level === 'warn' || level === 'error';
}

function levelFrom(text: string | undefined): string {
  return text !== undefined && text in pino.levels.values ? text : 'info';
}

function traceIds(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span && isSpanContextValid(span) ? { trace_id: span.traceId, span_id: span.spanId } : {};
}
