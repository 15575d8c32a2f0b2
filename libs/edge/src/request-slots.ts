import { Inject, Injectable } from '@nestjs/common';
import { TocsinError } from '@tocsin/core';
import { CONFIG } from '@tocsin/service';
import type { EdgeConfig } from './edge.config.ts';

/** Bounds how many requests run at a time in this process. A stream counts only until it begins. */
@Injectable()
export class RequestSlots {
  private taken = 0;

  constructor(@Inject(CONFIG) private readonly config: EdgeConfig) {}

  /** @throws TocsinError `unavailable` when all are taken */
  take(): void {
    if (this.taken >= this.config.maxRequests) {
      throw new TocsinError('unavailable', 'Too many requests are being worked on here. Try again in a moment.');
    }
    this.taken++;
  }

  release(): void {
    this.taken--;
  }
}
