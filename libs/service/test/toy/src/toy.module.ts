import { Controller, Inject, Injectable, Module, Optional, type OnModuleInit } from '@nestjs/common';
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

/** Says what it was given. */
@Injectable()
class ToyNeeds implements OnModuleInit {
  constructor(
    @Inject(CONFIG) private readonly config: { size: number },
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() private readonly cache?: Cache,
  ) {}

  onModuleInit(): void {
    const { size } = this.config;
    log.info({ size, now: this.clock.now() > 0, cache: this.cache !== undefined }, 'injected');
  }
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
class ToyMessages {
  constructor(
    @Inject(CONFIG) private readonly config: { size: number },
    @Optional() private readonly database?: Database,
    @Optional() private readonly outbox?: Outbox,
  ) {}

  @Answers(toyContract.requests.toyVisit)
  async visit({ id }: { id: string }): Promise<{ visited: boolean }> {
    await this.database?.transaction(async (tx) => {
      await tx.query('INSERT INTO visits (id) VALUES ($1)', [id]);
      await this.outbox?.add(tx, { subject: 'toy.work.visit', payload: { id, ms: 0 } });
    });
    return { visited: true };
  }

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

@Module({
  controllers: [ToyMessages],
  providers: [ToyNeeds, ToyLife],
})
export class ToyModule {}
