import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheRulesOf, cacheUsers } from '@tocsin/contracts';
import { projectRoot } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const compose = readFileSync(join(projectRoot, 'infra/deploy/compose/compose.yaml'), 'utf8');
const example = readFileSync(join(projectRoot, 'infra/deploy/compose/.env.example'), 'utf8');

describe('infra/deploy/compose', () => {
  it('runs the servers, a collector and Jaeger', () => {
    for (const server of ['nats', 'redis', 'postgres', 'otel-collector', 'jaeger']) {
      expect(compose).toMatch(new RegExp(`^  ${server}:$`, 'm'));
    }
  });

  it('publishes ports on loopback alone', () => {
    const published = [...compose.matchAll(/ports: \[([^\]]*)\]/g)].flatMap(([, list]) =>
      list!.split(',').map((one) => one.trim()),
    );
    expect(published.length).toBeGreaterThan(0);
    expect(published.filter((one) => !one.startsWith("'127.0.0.1:"))).toEqual([]);
  });

  it('gives each sub-service that has a cache a user of its own in Redis, and lets nobody in without', () => {
    const { services } = parse(compose) as { services: { redis: { command: string[] } } };
    const users = services.redis.command.join(' ').split(' --user ').slice(1);
    const own = cacheUsers.map((name) => `${name} on >\${${name.toUpperCase()}_REDIS_PASSWORD} ${cacheRulesOf(name)}`);
    expect(users).toEqual(['default off', ...own]);
  });

  it('asks for no variable that the example does not name', () => {
    const asked = new Set([...compose.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name!));
    const named = new Set([...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name!));
    expect([...asked].filter((name) => !named.has(name))).toEqual([]);
    expect([...named].filter((name) => !asked.has(name))).toEqual([]);
  });
});
