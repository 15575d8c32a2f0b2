import { Inject, Injectable } from '@nestjs/common';
import { sendHttp } from '@tocsin/checks';
import { backoff, sleep, type TargetGuard } from '@tocsin/core';
import { CONFIG } from '@tocsin/service';
import type { NotifierConfig } from '../notifier.config.ts';
import { deadmanCalls } from '../notifier.metrics.ts';

const ATTEMPTS = 3;
const ATTEMPT_MS = 5_000;
/** The address is the operator's own, and not for the lists that bind those who write monitors and channels. */
const ANYWHERE: TargetGuard = { refusal: () => undefined };
const PAUSE = { baseMs: 500, maxMs: 2_000 };

/** Calls the address that expects to be called. The address is a secret: a person who knows it can keep the alarm silent. */
@Injectable()
export class DeadmanCaller {
  constructor(@Inject(CONFIG) private readonly config: NotifierConfig) {}

  /**
   * Calls it, up to three times.
   * @param mayCall asked right before every attempt
   * @returns what went wrong, without the address; undefined when it was answered with 2xx
   */
  async call(mayCall: () => boolean): Promise<string | undefined> {
    let wrong: string | undefined = 'somebody else calls now';
    for (let attempt = 1; attempt <= ATTEMPTS && mayCall(); attempt += 1) {
      if (attempt > 1) await sleep(backoff(attempt - 1, PAUSE));
      wrong = await this.attempt();
      deadmanCalls.add(1, { outcome: wrong === undefined ? 'answered' : 'failed' });
      if (wrong === undefined) return undefined;
    }
    return wrong;
  }

  private async attempt(): Promise<string | undefined> {
    const { url } = this.config.deadman ?? {};
    if (url === undefined) return 'no address is set';
    const headers = { 'user-agent': 'Tocsin/1 (notifier)' };
    try {
      const { status } = await sendHttp({ url, method: 'POST', headers, targets: ANYWHERE, timeoutMs: ATTEMPT_MS });
      return status >= 200 && status < 300 ? undefined : `status ${status}`;
    } catch (error) {
      // The message of the error may hold the address.
      const { code, reason } = error as { code?: unknown; reason?: unknown };
      return [code, reason].find((word): word is string => typeof word === 'string') ?? 'no answer';
    }
  }
}
