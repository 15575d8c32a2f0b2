import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { atTheEnd } from '@tocsin/testing';
import { PairState } from './postgres-pair-state.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tocsin-pair-'));
  const made = dataDir;
  atTheEnd(() => rmSync(made, { recursive: true, force: true }));
});

describe('who is the primary of a PostgreSQL pair', () => {
  it('is the first of two empty servers, and nothing follows it yet', () => {
    const state = new PairState(dataDir);
    expect([state.primary, state.standby, state.use]).toEqual(['postgres-1', 'postgres-2', 'stale']);
  });

  it('is known to whoever starts next', () => {
    new PairState(dataDir).save({ primary: 'postgres-2', standby: 'in-sync' });
    const next = new PairState(dataDir);
    expect([next.primary, next.standby, next.use]).toEqual(['postgres-2', 'postgres-1', 'in-sync']);
  });

  it.each(['', '{"primary":"postgres-3","standby":"stale"}', '{"primary":"postgres-1","standby":"good"}'])(
    'is not guessed when there are data: %j',
    (text) => {
      mkdirSync(join(dataDir, 'postgres-1', 'files'), { recursive: true });
      writeFileSync(join(dataDir, 'postgres-1', 'files', 'PG_VERSION'), '18\n');
      writeFileSync(join(dataDir, 'pair.json'), text);
      expect(() => new PairState(dataDir)).toThrow('only it says which of the two servers');
    },
  );
});
