import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { redisServer } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { Cache, CacheModule } from '../src/index.ts';
import { isUp } from './harness.ts';

@Injectable()
class Service {
  constructor(readonly cache: Cache) {}
}

it('the module gives services the cache, and closes it at shutdown', async () => {
  const { url } = await redisServer();
  const module = CacheModule.forRoot(() => ({ url, namespace: 'module' }));
  const app = await NestFactory.createApplicationContext(
    { ...module, providers: [...module.providers!, Service] },
    { logger: false },
  );
  const { cache } = app.get(Service);
  await isUp(cache);
  await app.close();
  await expect(cache.ping()).rejects.toMatchObject({ code: 'unavailable' });
  expect((await cache.get('k', async () => 1, { ttlMs: 1, staleMs: 1 })).value).toBe(1);
});
