import { metrics } from '@opentelemetry/api';
import type { Notification } from './notifications/notification.ts';

const meter = metrics.getMeter('tocsin');

const attempts = meter.createCounter('tocsin_notifications_total', {
  description: 'Attempts to send a notification, by kind, channel kind and what they came to',
});
const delay = meter.createHistogram('tocsin_notification_delay_seconds', {
  description: 'From the transition of an incident to its notification being sent',
  unit: 's',
  advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600] },
});

/** Calls of the dead man's switch. */
export const deadmanCalls = meter.createCounter('tocsin_deadman_calls_total', {
  description: "Calls of the dead man's switch, by what they came to",
});

/** Notifications that are being sent now. */
export const inFlight = meter.createUpDownCounter('tocsin_notifications_sending', {
  description: 'Notifications that are being sent now',
});

/** Counts an attempt. */
export function countAttempt(n: Notification, outcome: string, channelKind = 'unknown', now?: number): void {
  attempts.add(1, { kind: n.kind, channel_kind: channelKind, outcome });
  if (outcome === 'sent' && now !== undefined && n.event && n.kind !== 'reminder') {
    delay.record(Math.max(0, now - n.event.at) / 1000, { kind: n.kind });
  }
}
