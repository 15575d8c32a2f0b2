const MIB = 1_048_576;

/** A number of bytes for a person: `1 MiB`, `64 KiB`, `17 bytes`. */
export function bytes(count: number): string {
  if (count >= MIB && count % MIB === 0) return `${count / MIB} MiB`;
  if (count >= 1024 && count % 1024 === 0) return `${count / 1024} KiB`;
  return plural(count, 'byte');
}

/** A time for a person: `10 s`, `1.5 s`, `250 ms`. */
export function milliseconds(ms: number): string {
  return ms >= 1000 ? `${Math.round(ms / 10) / 100} s` : `${Math.round(ms)} ms`;
}

/** `1 day`, `3 days`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A time span in days, or in hours below one day, in minutes below one hour. */
export function span(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return plural(minutes, 'minute');
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? plural(hours, 'hour') : plural(Math.floor(hours / 24), 'day');
}

/** Text from outside, shortened and in quotes, fit for one line of a message. */
export function quote(text: string, max = 60): string {
  return `"${clean(text, max)}"`;
}

/** Text from outside without line breaks, control characters and broken Unicode, at most `max` characters long. */
export function clean(text: string, max: number): string {
  const one = text
    .slice(0, max * 2)
    .toWellFormed()
    .replace(CONTROL, ' ');
  return one.length <= max ? one : `${one.slice(0, max - 1).toWellFormed()}…`;
}
// oxlint-disable-next-line no-control-regex -- control characters are what it replaces
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
