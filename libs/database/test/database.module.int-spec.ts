import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { postgres } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { Database, DatabaseModule, Outbox } from '../src/index.ts';

@Injectable()
class Store {
  constructor(
    readonly db: Database,
    readonly outbox: Outbox,
  ) {}
}

it('the module gives services the database and the outbox, and closes the pool at shutdown', async () => {
  const url = (await postgres()).urlFor('incidents');
  const module = DatabaseModule.forRoot({ url, schema: 'incidents', applicationName: 'incidents' });
  const app = await NestFactory.createApplicationContext(
    { ...module, providers: [...module.providers!, Store] },
    { logger: false },
  );
  const { db, outbox } = app.get(Store);
  expect(outbox).toBeInstanceOf(Outbox);
  expect(await db.query(`SELECT current_setting('search_path') AS path`)).toEqual([{ path: 'incidents' }]);
  await app.close();
  await expect(db.query('SELECT 1')).rejects.toMatchObject({ code: 'unavailable' });
});
