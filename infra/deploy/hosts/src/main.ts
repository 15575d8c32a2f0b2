import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asksForHelp, showUsage } from '@tocsin/local';
import { deploy } from './deployment.ts';
import { InventoryError, readInventory } from './inventory.ts';
import { render } from './render.ts';
import { collectSoftware } from './software.ts';
import { writeHost } from './write.ts';

const USAGE = `npm run hosts -- INVENTORY [--secrets FOLDER] [--out FOLDER]

Writes all that the hosts of an inventory need (infra/deploy/hosts/inventory.example.yaml): a folder with the files of each, and
the software. docs/operations.md says how it gets there.
  --secrets FOLDER  where passwords and certificates are kept; made at the first time. Default: secrets
  --out FOLDER      a folder for each host is written here. Default: out`;

function argumentsOf() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        secrets: { type: 'string', default: 'secrets' },
        out: { type: 'string', default: 'out' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    process.exit(showUsage(`${(error as Error).message}\n${USAGE}`));
  }
}

const { values, positionals } = argumentsOf();
const [file] = positionals;
if (asksForHelp() || file === undefined || positionals.length > 1) {
  process.exitCode = showUsage(USAGE);
} else {
  try {
    const deployment = await deploy(readInventory(file), values.secrets);
    for (const host of deployment.hosts) {
      const folder = join(values.out, host.name);
      writeHost(folder, render(deployment, host));
      console.log(`${host.name} (${host.address}): ${folder}`);
    }
    const software = join(values.out, 'software');
    console.log(`release ${await collectSoftware(software)}: ${software}`);
  } catch (error) {
    if (!(error instanceof InventoryError)) throw error;
    console.error(error.message);
    process.exitCode = 78;
  }
}
