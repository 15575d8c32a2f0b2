const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^([1-9]\d{0,8}|0)(ms|s|m|h|d)$/;

/** Whether a text is a duration: a whole number and a unit (`ms`, `s`, `m`, `h`, `d`), such as `500ms` or `5m`. */
export function isDuration(text: string): boolean {
  return PATTERN.test(text);
}

/**
 * The milliseconds of a duration such as `30s`.
 * @throws RangeError when the text is not a duration; parse input with {@link isDuration} at the door first
 */
export function durationMs(text: string): number {
  const match = PATTERN.exec(text);
  if (!match) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
