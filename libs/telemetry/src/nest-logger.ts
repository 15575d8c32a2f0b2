import type { LoggerService } from '@nestjs/common';
import { logger, type Log, type LogFields } from './logger.ts';

/** Parts of Nest that tell at every start what they did: useful only when one looks for it. */
const CHATTY = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
  'NestMicroservice',
]);

/** Passes what Nest and the libs log to Tocsin's logger. `new Logger(context)` of Nest takes an object of fields too. */
export class NestLogger implements LoggerService {
  private readonly logs = new Map<string, Log>();

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: keyof Log, message: unknown, rest: unknown[]): void {
    const last = rest.at(-1);
    const context = typeof last === 'string' ? last : 'nest';
    const extras = typeof last === 'string' ? rest.slice(0, -1) : rest;
    const fields = Object.assign({}, ...[message, ...extras].map(fieldsOf)) as LogFields;
    const text = textOf(message, fields);
    this.logFor(context)[level === 'info' && CHATTY.has(context) ? 'debug' : level](fields, text);
  }

  private logFor(context: string): Log {
    const known = this.logs.get(context);
    if (known) return known;
    const created = logger(context);
    if (this.logs.size < 1000) this.logs.set(context, created);
    return created;
  }
}

function fieldsOf(value: unknown): LogFields {
  if (value instanceof Error) return { err: value };
  if (typeof value === 'object' && value !== null) return { ...value };
  return {};
}

function textOf(message: unknown, fields: LogFields): string {
  if (typeof message === 'string') return message;
  if (message instanceof Error) return message.message;
  const { msg, message: text } = fields;
  if (typeof msg === 'string') return msg;
  return typeof text === 'string' ? text : String(message);
}
