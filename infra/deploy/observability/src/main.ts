import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InventoryError, readInventory } from '@tocsin/hosts';
import { edgeTargets, hostTargets } from './targets.ts';

/** Prometheus may look at any moment: it must never see half a file. */
function replace(file: string, content: string): void {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}

const [inventoryFile, folder] = process.argv.slice(2);
if (inventoryFile === undefined || folder === undefined) {
  console.error('usage: node infra/deploy/observability/src/main.ts <inventory.yaml> <folder of the targets>');
  process.exitCode = 64;
} else {
  try {
    const inventory = readInventory(inventoryFile);
    mkdirSync(folder, { recursive: true });
    replace(join(folder, 'hosts.yml'), hostTargets(inventory));
    replace(join(folder, 'edge.yml'), edgeTargets(inventory));
  } catch (error) {
    if (!(error instanceof InventoryError)) throw error;
    console.error(error.message);
    process.exitCode = 78;
  }
}
