import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { openapi } from '@tocsin/contracts';
import { instance } from '@tocsin/telemetry';
import { type StaticFile, staticFile } from './static-file.ts';

/** Swagger UI and what it loads come from here alone. It sets styles by script, which needs no inline styles. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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

const FRONT = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Tocsin</title>
  </head>
  <body>
    <h1>Tocsin</h1>
    <p>This is the gateway of a Tocsin: a monitoring service that checks endpoints and rings the alarm.</p>
    <ul>
      <li><a href="/docs">The API, to read and to try out</a></li>
      <li><a href="/v1/openapi.json">Its description (OpenAPI)</a></li>
    </ul>
  </body>
</html>
`;
const SAYS = {
  name: 'Tocsin',
  description: 'The gateway of a monitoring service that checks endpoints and rings the alarm.',
  api: '/v1',
  docs: '/docs',
  openapi: '/v1/openapi.json',
};

const JSON_TYPE = 'application/json; charset=utf-8';
const HTML_TYPE = 'text/html; charset=utf-8';

type Document = 'front.html' | 'front.json' | 'openapi.json' | 'docs.html';

/** All documents that need no token, made and read once. A build has the files of Swagger UI in `../assets/swagger-ui`. */
export class DocsFiles {
  private readonly documents: Readonly<Record<Document, StaticFile>>;
  private readonly assets: ReadonlyMap<string, StaticFile>;

  constructor() {
    this.documents = {
      'front.html': staticFile(HTML_TYPE, FRONT),
      'front.json': staticFile(JSON_TYPE, JSON.stringify({ ...SAYS, version: instance.version })),
      'openapi.json': staticFile(JSON_TYPE, JSON.stringify(openapi(instance.version))),
      'docs.html': staticFile(HTML_TYPE, PAGE, POLICY),
    };
    const folder = swaggerFolder();
    const fromPackage = Object.entries(FROM_PACKAGE).map(
      ([name, type]) => [name, staticFile(type, readFileSync(join(folder, name)))] as const,
    );
    const start = staticFile('text/javascript; charset=utf-8', START);
    this.assets = new Map([['start.js', start], ...fromPackage]);
  }

  named(name: Document): StaticFile {
    return this.documents[name];
  }

  /** A file that the page of the API loads. */
  asset(name: string): StaticFile | undefined {
    return this.assets.get(name);
  }
}

function swaggerFolder(): string {
  const ofTheBuild = join(import.meta.dirname, '..', 'assets', 'swagger-ui');
  if (existsSync(ofTheBuild)) return ofTheBuild;
  return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
