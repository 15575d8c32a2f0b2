import { Controller } from '@nestjs/common';
import { commands, type CreatedToken, requests, type Token, type TokenSpec } from '@tocsin/contracts';
import { Answers, CarriesOut, type CommandContext } from '@tocsin/messaging';
import { TokensReader } from './tokens.reader.ts';
import { TokensService } from './tokens.service.ts';
import type { VerifiedToken } from './tokens.store.ts';

@Controller()
export class TokensController {
  constructor(
    private readonly service: TokensService,
    private readonly reader: TokensReader,
  ) {}

  @CarriesOut(commands.tokensCreate)
  create(input: { spec: TokenSpec }, ctx: CommandContext): Promise<CreatedToken> {
    return this.service.create(input, ctx);
  }

  @CarriesOut(commands.tokensDelete)
  delete(input: { id: string }, ctx: CommandContext): Promise<{ id: string }> {
    return this.service.delete(input, ctx);
  }

  @Answers(requests.tokensList)
  list(query: { cursor?: string | undefined; limit: number }): Promise<{ items: Token[]; next?: string }> {
    return this.reader.list(query);
  }

  @Answers(requests.tokensVerify)
  verify(input: { hash: string }): Promise<{ token: VerifiedToken | null }> {
    return this.reader.verify(input);
  }
}
