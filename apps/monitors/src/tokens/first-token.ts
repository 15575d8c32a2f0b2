import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { newId, TocsinError } from '@tocsin/core';
import { Operations, recordChange } from '@tocsin/database';
import { CONFIG } from '@tocsin/service';
import { Bounds } from '../bounds.ts';
import type { MonitorsConfig } from '../monitors.config.ts';
import { hashOf } from './token.rules.ts';
import { TokensStore } from './tokens.store.ts';

/** Stores the first admin token when the service starts, where it is given one and no admin token works. */
@Injectable()
export class FirstToken implements OnApplicationBootstrap {
  private readonly logger = new Logger('FirstToken');

  constructor(
    private readonly operations: Operations,
    private readonly tokens: TokensStore,
    private readonly bounds: Bounds,
    @Inject(CONFIG) private readonly config: MonitorsConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { bootstrapToken } = this.config;
    // It is known by now, and nothing that this process starts needs it.
    delete process.env['TOCSIN_BOOTSTRAP_TOKEN'];
    if (bootstrapToken === undefined) return;
    try {
      if (await this.store(hashOf(bootstrapToken))) this.logger.log('stored the first admin token');
    } catch (error) {
      if (!(error instanceof TocsinError) || error.code !== 'conflict') throw error;
      this.logger.warn('TOCSIN_BOOTSTRAP_TOKEN was stored before and no longer works as admin; give another one');
    }
  }

  /** Any number of instances may do it at once: one of them stores it. */
  private store(hash: string): Promise<boolean> {
    return this.operations.runUnrecorded(async ({ tx, now }) => {
      await this.tokens.lock(tx);
      if ((await this.tokens.countAdmins(tx, now)) > 0) return false;
      await this.bounds.add(tx, 'tokens');
      const id = newId(now);
      await this.tokens.insert(tx, { id, createdAt: now, spec: { name: 'bootstrap', role: 'admin' } }, hash);
      await recordChange(tx, {}, { at: now, kind: 'token', resourceId: id });
      return true;
    });
  }
}
