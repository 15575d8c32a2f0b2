import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { knowledge, Ledger } from '../load/ledger.ts';
import { countWrites, type There } from './writes.ts';

const NOW = 1_700_000_000_000;
const range = { from: NOW, to: NOW + 1_000 };

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

function aLedger() {
  const ledger = new Ledger();
  const create = (name: string, known: 'acknowledged' | 'unsure' = 'acknowledged', id = `id of ${name}`) => {
    const entry = ledger.channel(name);
    ledger.noteCreated(entry, known, id);
    return entry;
  };
  return { ledger, create };
}

function counted(ledger: Ledger, there: Partial<There>) {
  return countWrites(ledger, { channels: [], monitors: [], askedAt: NOW + 30_000, ...there }, range);
}
const named = (...names: string[]) => names.map((name, n) => ({ id: `${n}`, name }));
const clean = { lostWrites: 0, doubledWrites: 0, failedOperations: 0, details: [] };

describe('the writes that were acknowledged', () => {
  it('are all there once: created, and deleted again', () => {
    const { ledger, create } = aLedger();
    create('a');
    create('b').deleted = knowledge('acknowledged');
    expect(counted(ledger, { channels: named('a', 'of others', 'of others') })).toMatchObject({
      ...clean,
      acknowledged: 3,
    });
  });

  it('are lost where a created channel does not exist', () => {
    const { ledger, create } = aLedger();
    create('a');
    expect(counted(ledger, {})).toMatchObject({ lostWrites: 1 });
  });

  it('are lost where there was none to be deleted', () => {
    const { ledger, create } = aLedger();
    const lost = create('a');
    lost.deleted = knowledge('unsure');
    expect(counted(ledger, {})).toMatchObject(clean);
    lost.missing = true;
    expect(counted(ledger, {})).toMatchObject({ lostWrites: 1 });
  });

  it('are lost where a deleted channel exists', () => {
    const { ledger, create } = aLedger();
    create('a').deleted = knowledge('acknowledged');
    expect(counted(ledger, { channels: named('a') })).toMatchObject({ lostWrites: 1 });
  });

  it('are doubled where two channels exist, or two identifiers were answered, for one key', () => {
    const { ledger, create } = aLedger();
    create('a');
    expect(counted(ledger, { channels: named('a', 'a') })).toMatchObject({ doubledWrites: 1, lostWrites: 0 });
    const entry = create('b');
    ledger.noteCreated(entry, 'acknowledged', 'another id');
    expect(counted(ledger, { channels: named('a', 'b') })).toMatchObject({ doubledWrites: 1 });
  });

  it('leave open what was not acknowledged, or after the record was asked, but not that it exists twice', () => {
    const { ledger, create } = aLedger();
    create('a', 'unsure');
    create('b').deleted = knowledge('open');
    expect(counted(ledger, {})).toMatchObject({ ...clean, acknowledged: 1 });
    expect(counted(ledger, { channels: named('a', 'b') })).toMatchObject(clean);
    expect(counted(ledger, { channels: named('a', 'a') })).toMatchObject({ doubledWrites: 1 });
    vi.setSystemTime(NOW + 500);
    create('c');
    expect(counted(ledger, { askedAt: NOW + 400 })).toMatchObject({ ...clean, acknowledged: 1 });
  });

  it('are lost where a monitor has not the last name, nor one that was asked for later', () => {
    const { ledger } = aLedger();
    ledger.rename('m', 'first')!.renamed = knowledge('acknowledged');
    expect(counted(ledger, { monitors: [{ id: 'm', name: 'first' }] })).toMatchObject({ ...clean, acknowledged: 1 });
    expect(counted(ledger, { monitors: [{ id: 'm', name: 'older' }] })).toMatchObject({ lostWrites: 1 });
    ledger.rename('m', 'second');
    for (const name of ['first', 'second']) {
      expect(counted(ledger, { monitors: [{ id: 'm', name }] })).toMatchObject(clean);
    }
    expect(ledger.rename('m', 'third')).toBeUndefined();
  });

  it('count an accepted one that failed, or that was never carried out', () => {
    const { ledger } = aLedger();
    const [done, failed, never] = ['done', 'failed', 'pending'].map((op) => ledger.accept('create channel', op));
    Object.assign(done!, { status: 'done', tookMs: 700 });
    Object.assign(failed!, { status: 'failed', why: 'it is invalid' });
    const counts = counted(ledger, {});
    expect(counts).toMatchObject({ failedOperations: 2, worstOperationMs: 700 });
    expect(counts.details.join()).toContain('it is invalid');
    expect(never!.status).toBe('pending');
  });

  it('belong to the range in which they were asked for', () => {
    const { ledger, create } = aLedger();
    vi.setSystemTime(range.to);
    create('a');
    ledger.accept('create channel', 'x');
    ledger.rename('m', 'x')!.renamed = knowledge('acknowledged');
    expect(counted(ledger, {})).toMatchObject({ ...clean, acknowledged: 0 });
  });
});
