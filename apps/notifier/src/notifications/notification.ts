import type { IncidentEvent, NotificationView } from '@tocsin/contracts';

export type NotificationKind = NotificationView['kind'];
export type NotificationStatus = NotificationView['status'];

/** The recipients of a mail that are done with it: nobody is offered it again who has got it or was refused for good. */
export interface Recipients {
  accepted: string[];
  /** What the server said to each. */
  refused: Record<string, string>;
}

/** One message about one transition of an incident to one channel; a test has no incident. */
export interface Notification {
  id: string;
  incidentId?: string | undefined;
  monitorId?: string | undefined;
  channelId: string;
  channelName: string;
  kind: NotificationKind;
  /** 0, or the how-manieth reminder. */
  step: number;
  status: NotificationStatus;
  /** How often it was tried, the attempt that runs included. It fences: a claim is one instance's and one attempt's. */
  attempts: number;
  to: string;
  answer?: string | undefined;
  recipients?: Recipients | undefined;
  /** What it tells of; absent for a test. */
  event?: IncidentEvent | undefined;
  /** The trace it belongs to, as W3C headers. */
  trace: Record<string, string>;
  createdAt: number;
  dueAt?: number | undefined;
  sentAt?: number | undefined;
}

/** The notification as the API shows it. */
export function viewOf(n: Notification): NotificationView {
  return {
    id: n.id,
    ...(n.incidentId === undefined ? {} : { incidentId: n.incidentId }),
    ...(n.monitorId === undefined ? {} : { monitorId: n.monitorId }),
    channelId: n.channelId,
    channelName: n.channelName,
    kind: n.kind,
    step: n.step,
    status: n.status,
    attempts: n.attempts,
    to: n.to,
    ...(n.answer === undefined ? {} : { answer: n.answer }),
    createdAt: n.createdAt,
    ...(n.status === 'pending' && n.dueAt !== undefined ? { nextAttemptAt: n.dueAt } : {}),
    ...(n.sentAt === undefined ? {} : { sentAt: n.sentAt }),
  };
}
