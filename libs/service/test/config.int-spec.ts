import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDir } from '@tocsin/testing/servers';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildToy, endToys, ToyProcess } from './toy.process.ts';

beforeAll(buildToy);
afterEach(endToys);

describe('a wrong environment', () => {
  it('refuses the start with code 78 and one line per bad key, without its value', async () => {
    const toy = new ToyProcess({
      TOCSIN_NATS_URLS: 'http://hunter2@h',
      TOCSIN_HTTP_PORT: '99999',
      TOCSIN_REPLICAS: '2',
      TOCSIN_TOY_SIZE: '11',
      TOCSIN_TOY_TOKEN: 'hunter2',
      TOCSIN_SECRET: 'hunter2',
      TOCSIN_DATABASE_URL: 'mysql://u:hunter2@h/d',
    });
    expect(await toy.ended).toBe(78);
    expect(toy.lines.map((line) => String(line['variable'])).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'TOCSIN_DATABASE_URL',
      'TOCSIN_HTTP_PORT',
      'TOCSIN_NATS_URLS',
      'TOCSIN_REPLICAS',
      'TOCSIN_SECRET',
      'TOCSIN_TOY_SIZE',
      'TOCSIN_TOY_TOKEN',
    ]);
    expect(toy.messages()).toContain('TOCSIN_REPLICAS must be 1 or 3');
    expect(toy.output).not.toContain('hunter2');
  });

  it('names the file that a secret could not be read from', async () => {
    const toy = new ToyProcess({ TOCSIN_SECRET_FILE: '/nowhere/secret' });
    expect(await toy.ended).toBe(78);
    expect(toy.messages()).toEqual(["TOCSIN_SECRET_FILE names a file that can't be read (ENOENT)"]);
  });

  it('refuses a value that is given both ways', async () => {
    const file = join(temporaryDir('config'), 'size');
    writeFileSync(file, '4\n');
    const toy = new ToyProcess({ TOCSIN_TOY_SIZE: '5', TOCSIN_TOY_SIZE_FILE: file });
    expect(await toy.ended).toBe(78);
    expect(toy.messages()).toEqual(['TOCSIN_TOY_SIZE is given twice: unset it or TOCSIN_TOY_SIZE_FILE']);
  });
});
