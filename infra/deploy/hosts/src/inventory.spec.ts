import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InventoryError, inventorySchema, readInventory } from './inventory.ts';

const example = join(import.meta.dirname, '..', 'inventory.example.yaml');
const written = () => structuredClone(readInventory(example)) as unknown as Record<string, unknown>;

const problemOf = (change: (inventory: ReturnType<typeof written>) => void): string => {
  const inventory = written();
  change(inventory);
  const parsed = inventorySchema.safeParse(inventory);
  return parsed.success ? 'none' : parsed.error.issues.map(({ path }) => path.join('.')).join(' ');
};

describe('an inventory', () => {
  it('is read as the example writes it, with what it leaves out', () => {
    expect(readInventory(example)).toMatchObject({ edge: { port: 443, routerId: 51 }, postgresql: 15 });
  });

  it.each<[string, string, Parameters<typeof problemOf>[0]]>([
    ['two hosts', 'hosts', ({ hosts }) => (hosts as unknown[]).pop()],
    [
      'an address that is none',
      'hosts.0.address',
      ({ hosts }) => ((hosts as { address: string }[])[0]!.address = '10.0.0'),
    ],
    ['two hosts of one name', 'hosts', ({ hosts }) => ((hosts as { name: string }[])[0]!.name = 'b')],
    ['an address twice', '', ({ edge }) => ((edge as { addresses: string[] }).addresses = ['10.0.0.11'])],
    ['an address of spans that is none', 'traces', (inventory) => (inventory['traces'] = '127.0.0.1:4318')],
    ['an address of spans with a second line', 'traces', (inventory) => (inventory['traces'] = 'http://a\nNODE_ENV=x')],
    ['a field it does not know', '', (inventory) => (inventory['host'] = [])],
    [
      'a setting that is no variable',
      'settings.notifier.path',
      ({ settings }) => ((settings as Record<string, unknown>)['notifier'] = { path: 'x' }),
    ],
  ])('with %s is refused, with the path of the field', (_what, path, change) => {
    expect(problemOf(change)).toBe(path);
  });

  it('that can not be read says which file', () => {
    expect(() => readInventory('/nowhere.yaml')).toThrow(InventoryError);
  });
});
