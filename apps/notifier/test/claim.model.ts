import type { Notification, NotificationStatus } from '../src/notifications/notification.ts';
import { blocks, ORPHANED_MS } from '../src/notifications/notification.rules.ts';

type ModelRow = Pick<Notification, 'channelId' | 'kind' | 'status' | 'createdAt'>;

/** What else counts when notifications of one incident are claimed. */
export interface ClaimSituation {
  /** All notifications of the incident. */
  rows: readonly ModelRow[];
  /** The incident was acknowledged or resolved. */
  silenced: boolean;
  /** The channels that are reminded, where a change of the monitor said so. */
  reminded?: readonly string[] | undefined;
  now: number;
}

/** The status that a due notification gets when an instance claims it: the rule of the statement `CLAIM`. */
export function claimedStatus(row: ModelRow, { rows, silenced, reminded, now }: ClaimSituation): NotificationStatus {
  const sameChannel = rows.filter(({ channelId }) => channelId === row.channelId);
  const needsOpening = row.kind !== 'opened' && row.kind !== 'test';
  const orphaned = needsOpening && !sameChannel.some(({ kind }) => kind === 'opened');
  if (orphaned && now - row.createdAt > ORPHANED_MS) return 'cancelled';
  if (row.kind === 'reminder' && silenced) return 'cancelled';
  const unwanted = row.kind === 'reminder' && reminded?.includes(row.channelId) === false;
  const blocked = row.kind !== 'test' && sameChannel.some((other) => blocks(other, row.kind));
  return orphaned || unwanted || blocked ? 'pending' : 'sending';
}
