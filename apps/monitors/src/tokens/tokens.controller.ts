import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { commands, type CreatedToken, requests, type Token, type TokenSpec } from '@tocsin/contracts';
import { type CommandContext, commandPattern } from '@tocsin/messaging';
import { TokensReader } from './tokens.reader.ts';
import { TokensService } from './tokens.service.ts';
import type { VerifiedToken } from './tokens.store.ts';

@Controller()
export class TokensController {
  constructor(
    private readonly service: TokensService,
    private readonly reader: TokensReader,
  ) {}

  @MessagePattern(commandPattern(commands.tokensCreate))
  create(@Payload() input: { spec: TokenSpec }, @Ctx() ctx: CommandContext): Promise<CreatedToken> {
    return this.service.create(input, ctx);
  }

  @MessagePattern(commandPattern(commands.tokensDelete))
  delete(@Payload() input: { id: string }, @Ctx() ctx: CommandContext): Promise<{ id: string }> {
    return this.service.delete(input, ctx);
  }

  @MessagePattern(requests.tokensList.subject)
  list(@Payload() query: { cursor?: string | undefined; limit: number }): Promise<{ items: Token[]; next?: string }> {
    return this.reader.list(query);
  }

  @MessagePattern(requests.tokensVerify.subject)
  verify(@Payload() input: { hash: string }): Promise<{ token: VerifiedToken | null }> {
    return this.reader.verify(input);
  }
}
