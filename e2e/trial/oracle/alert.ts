import type { Arrival } from '@tocsin/testing';

/** One alert as a receiver that heeds Idempotency-Key knows it: the first arrival under its key. */
export interface Alert {
  key: string;
  /** When it arrived, by the receiver's clock. */
  at: number;
  kind: 'opened' | 'resolved';
  monitorId: string;
  incidentId: string;
  state: string;
  /** When Tocsin says that it happened. */
  happenedAt: number;
}

export interface AlertsSeen {
  alerts: Alert[];
  /** One per time that a key was accepted again. */
  repeated: { key: string; at: number }[];
}

interface Hook {
  kind?: string;
  at?: string;
  incident?: { id: string; state: string } | null;
  monitor?: { id: string } | null;
}

/** What a sink was told of incidents, in the order of arrival. Only accepted arrivals (2xx) count. */
export function alertsOf(arrivals: readonly Arrival[]): AlertsSeen {
  const seen: AlertsSeen = { alerts: [], repeated: [] };
  const keys = new Set<string>();
  for (const { at, key, body, answered } of arrivals) {
    const { kind, at: happened, incident, monitor } = (body ?? {}) as Hook;
    if (answered < 200 || answered >= 300 || (kind !== 'opened' && kind !== 'resolved') || !incident || !monitor)
      continue;
    if (keys.has(key)) {
      seen.repeated.push({ key, at });
      continue;
    }
    keys.add(key);
    const { id: incidentId, state } = incident;
    seen.alerts.push({
      key,
      at,
      kind,
      monitorId: monitor.id,
      incidentId,
      state,
      happenedAt: Date.parse(happened ?? ''),
    });
  }
  return seen;
}
