import { Controller, Get, NotFoundException, Param, Req, Res } from '@nestjs/common';
import { AddressLimits, type EdgeReply, type EdgeRequest } from '@tocsin/edge';
import { DocsFiles } from './docs.files.ts';
import { sendStatic, type StaticFile } from './static-file.ts';

/** The description of the API, a page to browse it, and what this is at all. For anyone: they say nothing about what is watched. */
@Controller()
export class DocsController {
  private readonly files = new DocsFiles();

  constructor(private readonly addresses: AddressLimits) {}

  /** For a browser a page, for everything else JSON. */
  @Get()
  front(@Req() request: EdgeRequest, @Res() reply: EdgeReply): void {
    void reply.header('vary', 'accept');
    const isBrowser = /\btext\/html\b/i.test(request.headers.accept ?? '');
    this.send(this.files.named(isBrowser ? 'front.html' : 'front.json'), request, reply);
  }

  @Get('v1/openapi.json')
  openapi(@Req() request: EdgeRequest, @Res() reply: EdgeReply): void {
    this.send(this.files.named('openapi.json'), request, reply);
  }

  @Get('docs')
  page(@Req() request: EdgeRequest, @Res() reply: EdgeReply): void {
    this.send(this.files.named('docs.html'), request, reply);
  }

  @Get('docs/:file')
  asset(@Param('file') name: string, @Req() request: EdgeRequest, @Res() reply: EdgeReply): void {
    const file = this.files.asset(name);
    if (!file) throw new NotFoundException();
    this.send(file, request, reply);
  }

  private send(file: StaticFile, request: EdgeRequest, reply: EdgeReply): void {
    this.addresses.countOpen(request);
    sendStatic(file, request, reply);
  }
}
