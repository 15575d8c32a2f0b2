import type { NotificationView } from '@tocsin/contracts';
import type { Caller } from '@tocsin/edge';

/** How an attempt ended, by the code of HTTP or of SMTP; what stands behind it is the receiver's own words. */
const CODE = /^(?:given up after \d+ attempts; the last: )?(?:status [1-5]\d\d|[2-5]\d\d(?= |$))/;

/** A notification as this caller may see it: what a receiver said beside its status is for who may change channels. */
export function shownTo<N extends Pick<NotificationView, 'answer'>>(caller: Caller | undefined, notification: N): N {
  if (caller !== undefined && caller.role !== 'viewer') return notification;
  const { answer, ...shown } = notification;
  const code = answer === undefined ? undefined : CODE.exec(answer)?.[0];
  return (code === undefined ? shown : { ...shown, answer: code }) as N;
}
