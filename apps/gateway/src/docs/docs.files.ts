import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface DocsFile {
  type: string;
  content: Buffer;
}

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Tocsin API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `window.ui = SwaggerUIBundle({
  url: '/v1/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
});
`;

const FROM_PACKAGE: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** The files of the docs page by name, read once. A build has those of Swagger UI beside it in `assets/swagger-ui`. */
export function docsFiles(): ReadonlyMap<string, DocsFile> {
  const folder = swaggerFolder();
  const files = new Map<string, DocsFile>([
    ['', { type: 'text/html; charset=utf-8', content: Buffer.from(PAGE) }],
    ['start.js', { type: 'text/javascript; charset=utf-8', content: Buffer.from(START) }],
  ]);
  for (const [name, type] of Object.entries(FROM_PACKAGE)) {
    files.set(name, { type, content: readFileSync(join(folder, name)) });
  }
  return files;
}

function swaggerFolder(): string {
  const beside = join(import.meta.dirname, 'assets', 'swagger-ui');
  if (existsSync(beside)) return beside;
  return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
