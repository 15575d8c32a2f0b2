import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { streams, subjects } from '@tocsin/contracts';
import { type Follow, Messaging } from '@tocsin/messaging';
import { Drain } from '@tocsin/service';
import { Answers, type Tag } from './answers.ts';

/** Events of a burst are taken together: forgetting more often than this would make the cache worthless. */
const TOGETHER_MS = 50;

const TAGS: readonly (readonly [prefix: string, tags: readonly Tag[]])[] = [
  [subjects.stateEvent(''), ['states']],
  [subjects.monitorEvent(''), ['states']],
  [subjects.incidentEvent(''), ['incidents', 'states']],
  [subjects.notificationEvent(''), ['notifications']],
];

/** Forgets answers as soon as an event says that they are out of date. */
@Injectable()
export class Invalidation implements OnApplicationBootstrap {
  private readonly logger = new Logger(Invalidation.name);
  private readonly waiting = new Set<Tag>();
  private timer: NodeJS.Timeout | undefined;
  private follow: Follow | undefined;

  constructor(
    private readonly messaging: Messaging,
    private readonly answers: Answers,
    private readonly drain: Drain,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const filters = TAGS.map(([prefix]) => `${prefix}>`);
    this.follow = await this.messaging.follow({ stream: streams.events.name, filters, from: 'new' }, ({ subject }) =>
      this.hear(subject),
    );
    this.drain.onStop('stop-taking', () => this.follow?.stop());
  }

  private hear(subject: string): void {
    for (const [prefix, tags] of TAGS) {
      if (subject.startsWith(prefix)) tags.forEach((tag) => this.waiting.add(tag));
    }
    this.timer ??= setTimeout(() => this.forget(), TOGETHER_MS).unref();
  }

  private forget(): void {
    this.timer = undefined;
    const tags = [...this.waiting];
    this.waiting.clear();
    this.answers
      .forget(tags)
      .catch((error: unknown) => this.logger.warn(`could not forget ${tags.join(', ')}: ${String(error)}`));
  }
}
