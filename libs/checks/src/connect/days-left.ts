import { plural } from '../message-text.ts';

const DAY_MS = 86_400_000;

/**
 * What is wrong with a certificate that ends too soon; nothing where it has the days.
 * @param certificate when it ends, ms since the epoch, and its name in a message
 */
export function tooFewDays(
  certificate: { expiresAt: number; name: string },
  minDaysLeft: number,
  now: number,
): string | undefined {
  const left = Math.floor((certificate.expiresAt - now) / DAY_MS);
  if (left >= minDaysLeft) return undefined;
  const when = left < 0 ? 'has expired' : `expires in ${plural(left, 'day')}`;
  return `${certificate.name} ${when}, expected at least ${plural(minDaysLeft, 'day')} left`;
}
