import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Files of dependencies that an app serves as they are: per app, the package, the files and the folder below `assets/`. */
const assets: Record<string, { from: string; files: string[]; to: string }[]> = {
  gateway: [
    {
      from: 'swagger-ui-dist',
      files: [
        'swagger-ui.css',
        'swagger-ui-bundle.js',
        'swagger-ui-standalone-preset.js',
        'favicon-32x32.png',
        'LICENSE',
      ],
      to: 'swagger-ui',
    },
  ],
};

/** Copies what the table lists for this app; throws when a listed file is missing. */
export async function copyAssets(app: string, into: string): Promise<void> {
  const require = createRequire(import.meta.url);
  for (const { from, files, to } of assets[app] ?? []) {
    const home = dirname(require.resolve(`${from}/package.json`));
    await mkdir(join(into, to), { recursive: true });
    for (const file of files) {
      await stat(join(home, file));
      await cp(join(home, file), join(into, to, file));
    }
    const { license } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { license?: string };
    if (!license) throw new Error(`${from} states no licence; do not ship its files.`);
  }
}
