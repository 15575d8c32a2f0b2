import { describe, expect, it } from 'vitest';
import { ApiMix, type Errand } from './api-mix.ts';
import type { ApiOutcome } from './gateway-client.ts';
import { Ledger } from './ledger.ts';
import { randomOf } from './random.ts';

const ok: ApiOutcome = { answer: 'ok', attempts: 1, tookMs: 1, stale: false, status: 200, body: undefined };

function mixed(settle: (errand: Errand, id: number) => void, times = 5_000) {
  const ledger = new Ledger();
  const monitorIds = Array.from({ length: 50 }, (_, n) => `monitor ${n}`);
  const mix = new ApiMix(ledger, monitorIds, randomOf(5), 'load');
  const kinds: Record<string, number> = {};
  for (let id = 0; id < times; id++) {
    const errand = mix.next();
    kinds[errand.kind] = (kinds[errand.kind] ?? 0) + 1;
    settle(errand, id);
  }
  return { ledger, kinds };
}

const acknowledge = (errand: Errand, id: number) =>
  errand.settle?.('acknowledged', { ...ok, body: { id: `channel ${id}` } });

describe('what the clients do', () => {
  it('is mostly reads of every kind, and some of every write', () => {
    const { kinds } = mixed(acknowledge);
    const writes = kinds['create channel']! + kinds['rename monitor']! + kinds['delete channel']!;
    expect(writes).toBeGreaterThan(500);
    expect(writes).toBeLessThan(1_500);
    for (const kind of ['summary', 'states', 'monitor', 'incidents', 'uptime'])
      expect(kinds[kind]).toBeGreaterThan(200);
  });

  it('keeps the channels bounded, each deleted once', () => {
    const deleted: string[] = [];
    const { ledger } = mixed((errand, id) => {
      if (errand.kind === 'delete channel') deleted.push(errand.request.path);
      acknowledge(errand, id);
    });
    expect(ledger.population).toBeLessThanOrEqual(51);
    expect(deleted.length).toBeGreaterThan(100);
    expect(new Set(deleted).size).toBe(deleted.length);
  });

  it('asks for no other name of a monitor while it is not known what became of the last', () => {
    const { kinds, ledger } = mixed((errand) => errand.settle?.('unsure', { ...ok, answer: 'failed' }));
    expect(kinds['rename monitor']).toBeLessThanOrEqual(50);
    expect([...ledger.renames.values()].every((renames) => renames.length === 1)).toBe(true);
  });
});
