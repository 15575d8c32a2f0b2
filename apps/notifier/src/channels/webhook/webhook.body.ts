import { rfc3339 } from '@tocsin/contracts';
import type { Notification } from '../../notifications/notification.ts';

/** What a webhook receives, version 1. Fields may be added; none changes its meaning within a version. */
export interface WebhookBody {
  version: 1;
  /** The same on every attempt; also in the header `Idempotency-Key`. */
  notificationId: string;
  kind: Notification['kind'];
  /** The how-manieth reminder; else 0. */
  step: number;
  /** When it happened, RFC 3339. */
  at: string;
  incident: null | {
    id: string;
    status: 'open' | 'acknowledged' | 'resolved';
    state: string;
    reason: string;
    message: string;
    openedAt: string;
    acknowledgedBy?: string;
    note?: string;
  };
  monitor: null | { id: string; name: string };
  channel: { id: string; name: string };
}

/** The body of a notification: the same on every attempt. */
export function webhookBody(n: Notification): WebhookBody {
  const { event } = n;
  return {
    version: 1,
    notificationId: n.id,
    kind: n.kind,
    step: n.step,
    at: rfc3339(n.kind === 'reminder' ? n.createdAt : (event?.at ?? n.createdAt)),
    incident: event
      ? {
          id: event.incidentId,
          status: statusOf(n),
          state: event.state,
          reason: event.reason,
          message: event.message,
          openedAt: rfc3339(event.openedAt),
          ...(event.transition === 'acknowledged' && event.by !== undefined ? { acknowledgedBy: event.by } : {}),
          ...(event.note === undefined ? {} : { note: event.note }),
        }
      : null,
    monitor: event ? { id: event.monitorId, name: event.monitorName } : null,
    channel: { id: n.channelId, name: n.channelName },
  };
}

function statusOf(n: Notification): 'open' | 'acknowledged' | 'resolved' {
  return n.kind === 'acknowledged' || n.kind === 'resolved' ? n.kind : 'open';
}
