const DELIMITERS = /[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/;
const TIME = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D|$)/;
const DAY = /^(\d{1,2})(?:\D|$)/;
const YEAR = /^(\d{2,4})(?:\D|$)/;
const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';

/** The time that a cookie's `Expires` names, ms since the epoch: in UTC, whatever it says (RFC 6265, section 5.1.1). */
export function cookieDate(text: string): number | undefined {
  let time: RegExpExecArray | undefined;
  let day: number | undefined;
  let month: number | undefined;
  let year: number | undefined;
  for (const token of text.slice(0, 100).split(DELIMITERS)) {
    if (!time && TIME.test(token)) time = TIME.exec(token)!;
    else if (day === undefined && DAY.test(token)) day = Number(DAY.exec(token)![1]);
    else if (month === undefined && monthOf(token) !== undefined) month = monthOf(token);
    else if (year === undefined && YEAR.test(token)) year = fullYear(Number(YEAR.exec(token)![1]));
  }
  if (!time || day === undefined || month === undefined || year === undefined) return undefined;
  const [hour = 0, minute = 0, second = 0] = time.slice(1, 4).map(Number);
  if (day < 1 || day > 31 || year < 1601 || hour > 23 || minute > 59 || second > 59) return undefined;
  return Date.UTC(year, month, day, hour, minute, second);
}

function monthOf(token: string): number | undefined {
  const at = token.length < 3 ? -1 : MONTHS.indexOf(token.slice(0, 3).toLowerCase());
  return at >= 0 && at % 3 === 0 ? at / 3 : undefined;
}

function fullYear(year: number): number {
  if (year >= 70 && year <= 99) return year + 1900;
  return year <= 69 ? year + 2000 : year;
}
