import { existsSync, writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const loaded = new Set();
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) loaded.add(fileURLToPath(url));
    return next(url, context);
  },
});
process.on('exit', () => {
  writeSync(1, `\nloaded:${JSON.stringify([...loaded].filter((file) => existsSync(`${file}.map`)))}`);
});
