import { HandBack } from '@tocsin/messaging';
import { countHandBack } from './prober.metrics.ts';

/** What leaves a task to another prober after a while; counted by its reason. */
export function handBack(delayMs: number, reason: Parameters<typeof countHandBack>[0], words: string): HandBack {
  countHandBack(reason);
  return new HandBack(delayMs, words);
}
