import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres, temporaryDir, withClient } from '@tocsin/testing/servers';
import { describe, expect, it } from 'vitest';
import { atTheEnd } from '@tocsin/testing';

describe('bootstrap.sql', () => {
  it('may prepare many databases of one new server at once, and each twice', async () => {
    const dataDir = temporaryDir('bootstrap');
    const server = await startPostgres({ dataDir: join(dataDir, 'data'), durable: false });
    atTheEnd(async () => {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const names = ['one', 'two', 'three', 'one', 'two', 'three'];
    const databases = await Promise.all(names.map((name) => server.createDatabase(name)));
    for (const database of databases) {
      const answer = await withClient(database.urlFor('incidents'), (client) =>
        client.query('SELECT current_schema() AS at'),
      );
      expect(answer.rows).toEqual([{ at: 'incidents' }]);
    }
  });
});
