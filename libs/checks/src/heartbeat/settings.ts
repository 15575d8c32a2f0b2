import type { HeartbeatSettings } from '@tocsin/contracts';
import type { FieldError } from '@tocsin/core';
import { CronSchedule, isTimeZone } from '@tocsin/schedule';

/** What is wrong with the schedule of a heartbeat that its schema takes. */
export function* heartbeatFaults({ schedule }: HeartbeatSettings): Generator<FieldError> {
  if ('every' in schedule) return;
  if (!isTimeZone(schedule.timezone)) {
    yield {
      path: '/schedule/timezone',
      message: 'is not a time zone of the IANA database, such as Europe/Berlin',
    };
    return;
  }
  const fault = cronFault(schedule.cron, schedule.timezone);
  if (fault !== undefined) yield { path: '/schedule/cron', message: fault };
}

function cronFault(pattern: string, timezone: string): string | undefined {
  try {
    return new CronSchedule(pattern, timezone).next(0) === undefined ? 'never comes due' : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'not readable';
    return `is not a cron expression (${reason})`;
  }
}
