import { Controller, Get, Header, NotFoundException, Param, StreamableFile } from '@nestjs/common';
import { openapi } from '@tocsin/contracts';
import { instance } from '@tocsin/telemetry';
import { type DocsFile, docsFiles } from './docs.files.ts';

/** Swagger UI and what it loads come from here alone. It sets styles by script, which needs no inline styles. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The description of the API, and a page to browse it. For anyone: they say nothing about what is watched. */
@Controller()
export class DocsController {
  private description: string | undefined;
  private files: ReadonlyMap<string, DocsFile> | undefined;

  @Get('v1/openapi.json')
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', 'public, max-age=300')
  openapi(): string {
    return (this.description ??= JSON.stringify(openapi(instance.version)));
  }

  @Get('docs')
  @Header('content-security-policy', POLICY)
  @Header('cache-control', 'public, max-age=300')
  page(): StreamableFile {
    return this.file('');
  }

  @Get('docs/:file')
  @Header('cache-control', 'public, max-age=300')
  asset(@Param('file') name: string): StreamableFile {
    return this.file(name);
  }

  private file(name: string): StreamableFile {
    const found = (this.files ??= docsFiles()).get(name);
    if (!found) throw new NotFoundException();
    return new StreamableFile(found.content, { type: found.type, length: found.content.length });
  }
}
