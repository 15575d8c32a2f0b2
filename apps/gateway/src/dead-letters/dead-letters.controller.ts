import { Controller } from '@nestjs/common';
import { routes } from '@tocsin/contracts';
import { type Answer, type Call, done, ok, Serve } from '@tocsin/edge';
import { type DeadLetter, Messaging } from '@tocsin/messaging';
import { brokerAnswer } from './broker-answer.ts';
import { DeadLettersService } from './dead-letters.service.ts';
import { shownWithin } from '../secrets.ts';

@Controller()
export class DeadLettersController {
  constructor(
    private readonly messaging: Messaging,
    private readonly deadLetters: DeadLettersService,
  ) {}

  @Serve(routes.deadLettersList)
  async list(call: Call<typeof routes.deadLettersList>): Promise<Answer> {
    const { cursor, limit } = call.query;
    const page = { limit, ...(cursor === undefined ? {} : { before: cursor }) };
    const letters = await brokerAnswer(this.messaging.deadLetters.list(page), call.deadline);
    const last = letters.length === limit ? letters.at(-1) : undefined;
    return ok({ items: letters.map(summaryOf), ...(last ? { next: String(last.sequence) } : {}) });
  }

  @Serve(routes.deadLettersGet)
  async read(call: Call<typeof routes.deadLettersGet>): Promise<Answer> {
    const letter = await brokerAnswer(this.messaging.deadLetters.read(call.params.id), call.deadline);
    return ok({
      ...view(letter),
      ...(letter.payload === undefined ? {} : { payload: payloadOf(letter.payload, call) }),
    });
  }

  @Serve(routes.deadLettersRedrive)
  async redrive(call: Call<typeof routes.deadLettersRedrive>): Promise<Answer> {
    await this.deadLetters.redrive(call, call.params.id);
    return done();
  }

  @Serve(routes.deadLettersDiscard)
  async discard(call: Call<typeof routes.deadLettersDiscard>): Promise<Answer> {
    await this.deadLetters.discard(call, call.params.id);
    return done();
  }
}

function view({ sequence, ...letter }: DeadLetter) {
  return { id: sequence, ...letter };
}

/** What is no JSON holds no specification. */
function payloadOf(text: string, call: Call): string {
  try {
    return JSON.stringify(shownWithin(call.caller, JSON.parse(text)));
  } catch {
    return text;
  }
}

/** In a list, payloads would make a page as large as what failed. */
function summaryOf(letter: DeadLetter) {
  const { payload: _payload, encoding: _encoding, headers: _headers, ...rest } = view(letter);
  return rest;
}
