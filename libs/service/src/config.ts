import { readFileSync } from 'node:fs';
import { instance } from '@tocsin/telemetry';
import { z } from 'zod';
import { platformSchema, type PlatformConfig } from './platform.config.ts';

/** How a process ends that was configured wrongly (`EX_CONFIG` of sysexits.h): starting it again does not help. */
export const CONFIG_EXIT_CODE = 78;

type Environment = Record<string, string>;

/** One key of the environment and what is wrong with it. It never holds the value, which may be a secret. */
export interface ConfigProblem {
  key: string;
  message: string;
}

/** The environment holds values that the service can't run with. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(problems.map(({ key, message }) => `${key}: ${message}`).join('\n'));
  }
}

export interface ConfigNeeds {
  database?: boolean;
  cache?: boolean;
}

/**
 * The typed configuration: the service's schema and the platform's, both read from `env`. An empty value counts as unset,
 * and `X_FILE` names a file that holds X.
 * @throws ConfigError that names every bad key at once
 */
export function readConfig<C extends z.ZodType>(
  schema: C,
  needs: ConfigNeeds,
  env: NodeJS.ProcessEnv,
): z.output<C> & PlatformConfig {
  const problems: ConfigProblem[] = [];
  const values = withFiles(env, problems);
  const platform = platformSchema.safeParse(values);
  const own = schema.safeParse(values);
  if (!platform.success) problems.push(...problemsOf(platform.error, values));
  if (!own.success) problems.push(...problemsOf(own.error, values));
  if (needs.database && !values['TOCSIN_DATABASE_URL']) problems.push(missing('TOCSIN_DATABASE_URL', 'postgres://…'));
  if (needs.cache && !values['TOCSIN_REDIS_URL']) problems.push(missing('TOCSIN_REDIS_URL', 'redis://…'));
  if (problems.length > 0 || !platform.success || !own.success) throw new ConfigError(unique(problems));
  return {
    ...platform.data,
    ...(own.data as object),
    service: instance.service,
    instance: instance.id,
  } as z.output<C> & PlatformConfig;
}

function withFiles(env: NodeJS.ProcessEnv, problems: ConfigProblem[]): Environment {
  const values: Environment = {};
  for (const [key, value] of Object.entries(env)) if (value !== undefined && value !== '') values[key] = value;
  for (const [key, path] of Object.entries(values)) {
    if (!/^TOCSIN_.+_FILE$/.test(key)) continue;
    const target = key.slice(0, -'_FILE'.length);
    if (values[target] !== undefined) problems.push({ key: target, message: `is given twice: unset it or ${key}` });
    else readInto(values, target, { key, path, problems });
  }
  return values;
}

function readInto(
  values: Environment,
  target: string,
  from: { key: string; path: string; problems: ConfigProblem[] },
): void {
  try {
    const text = readFileSync(from.path, 'utf8').replace(/\r?\n$/, '');
    if (text === '') from.problems.push({ key: from.key, message: 'names an empty file' });
    else values[target] = text;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    from.problems.push({ key: from.key, message: `names a file that can't be read (${reason})` });
  }
}

function problemsOf(error: z.ZodError, values: Environment): ConfigProblem[] {
  return error.issues.map((issue) => {
    const key = String(issue.path[0] ?? 'environment');
    if (values[key] === undefined && issue.code === 'invalid_type') return { key, message: 'is missing' };
    const deeper = issue.path.slice(1).join('.');
    return { key, message: deeper ? `${deeper}: ${issue.message}` : issue.message };
  });
}

function missing(key: string, example: string): ConfigProblem {
  return { key, message: `is missing; it looks like ${example}` };
}

function unique(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...new Map(problems.map((problem) => [`${problem.key} ${problem.message}`, problem])).values()];
}
