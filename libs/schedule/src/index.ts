export { CronSchedule } from './cron.ts';
export { isTimeZone } from './wall-clock.ts';
