import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Inject,
  Injectable,
  Module,
  Optional,
  Post,
  type OnModuleInit,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Cache } from '@tocsin/cache';
import { TocsinError, type Clock } from '@tocsin/core';
import { Database, Outbox } from '@tocsin/database';
import { Answers, Consumes, Leases } from '@tocsin/messaging';
import { logger } from '@tocsin/telemetry';
import { CLOCK, CONFIG, Drain, Health, type PlatformConfig } from '../../../src/index.ts';
import { toyContract } from './toy.contract.ts';

const log = logger('toy');

interface Work {
  id: string;
  ms: number;
}

/** Says what it does when, for the tests of the order. */
@Injectable()
class ToyLife implements OnModuleInit {
  constructor(
    @Inject(CONFIG) private readonly config: PlatformConfig,
    private readonly leases: Leases,
    private readonly drain: Drain,
    private readonly health: Health,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.leases.acquire('toy', { holder: this.config.instance, ttlMs: 60_000 });
    this.health.add('spare', () => Promise.reject(new Error('no spare')), { required: false });
    for (const phase of ['release', 'finish', 'stop-taking'] as const) {
      this.drain.onStop(phase, () => log.info({ phase }, 'stop phase'));
    }
    if (process.env['TOY_STUCK']) this.drain.onStop('finish', () => new Promise(() => undefined));
    if (process.env['TOY_REJECT']) setTimeout(() => void Promise.reject(new Error('toy defect')), 100);
  }
}

@Controller()
class ToyHttp {
  constructor(
    @Inject(CONFIG) private readonly config: PlatformConfig & { size: number },
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() private readonly cache?: Cache,
  ) {}

  @Get('config')
  configured(): unknown {
    return { size: this.config.size, now: this.clock.now() > 0, cache: this.cache !== undefined };
  }

  @Get('slow')
  async slow(): Promise<{ done: boolean }> {
    log.info('slow request begun');
    await new Promise((resolve) => setTimeout(resolve, 600));
    return { done: true };
  }

  @Post('body')
  body(@Body() body: unknown): unknown {
    return { got: body };
  }

  @Get('refused')
  refused(): never {
    throw new TocsinError('invalid', 'The monitor is not valid.', {
      fields: [{ path: '/interval', message: 'must be at least 1 s' }],
    });
  }

  @Get('busy')
  busy(): never {
    throw new TocsinError('exhausted', 'Too many at once.', { details: { retryAfterMs: 2_500 } });
  }

  @Get('range')
  range(): never {
    throw new RangeError('out of it');
  }

  @Get('defect')
  defect(): never {
    throw new Error('the password is hunter2');
  }
}

@Controller('visits')
class ToyVisits {
  constructor(
    @Optional() private readonly database?: Database,
    @Optional() private readonly outbox?: Outbox,
  ) {}

  @Post()
  async visit(@Body() { id }: { id: string }): Promise<object> {
    await this.database?.transaction(async (tx) => {
      await tx.query('INSERT INTO visits (id) VALUES ($1)', [id]);
      await this.outbox?.add(tx, { subject: 'toy.work.visit', payload: { id, ms: 0 } });
    });
    return {};
  }
}

@Controller()
class ToyMessages {
  constructor(@Inject(CONFIG) private readonly config: { size: number }) {}

  @Answers(toyContract.requests.toyAsk)
  ask({ fail }: { fail: boolean }): { answer: number } {
    if (fail) throw new TocsinError('not_found', 'There is no such thing.');
    return { answer: this.config.size };
  }

  @Consumes(toyContract.consumers.toyWork)
  async work({ id, ms }: Work): Promise<void> {
    log.info({ id }, 'work begun');
    await new Promise((resolve) => setTimeout(resolve, ms));
    log.info({ id }, 'work done');
  }
}

/** The service's own answer to one kind of error. */
@Catch(RangeError)
class ToyFilter implements ExceptionFilter {
  catch(_error: RangeError, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<{ code(status: number): { send(body: string): void } }>();
    reply.code(418).send('{"toy":true}');
  }
}

@Module({
  controllers: [ToyHttp, ToyVisits, ToyMessages],
  providers: [ToyLife, { provide: APP_FILTER, useClass: ToyFilter }],
})
export class ToyModule {}
