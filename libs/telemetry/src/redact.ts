const HIDDEN = '[hidden]';
const SECRET_KEY =
  /(authorization|cookie|passw(or)?d|passphrase|secret|token|credential|api[-_]?key|private[-_]?key|signature)/i;
/** `key` alone says nothing (there are idempotency keys), except where the whole name is one of these. */
const SECRET_NAMES = new Set(['key', 'auth', 'pass', 'pwd', 'dsn']);
const URL_CREDENTIALS = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:[^\s/]*@/gi;
const BEARER = /\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi;
const MAX_DEPTH = 6;
const MAX_ITEMS = 50;
const MAX_TEXT = 8192;

function isSecretKey(key: string): boolean {
  return SECRET_NAMES.has(key.toLowerCase()) || SECRET_KEY.test(key);
}

/** The text without credentials in URLs and authorization values, and not longer than a log line should be. */
export function redactText(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
  return short.replace(URL_CREDENTIALS, `$1${HIDDEN}@`).replace(BEARER, `$1 ${HIDDEN}`);
}

/**
 * A copy of `value` that can be logged: values under keys that name a secret are hidden at any depth, credentials in
 * texts too, and depth and size are bounded.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toJSON();
  if (value instanceof Error) return describeError(value, depth);
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (Buffer.isBuffer(value)) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return redactList(value, depth);
  return redactFields(Object.entries(value), depth);
}

function redactList(list: unknown[], depth: number): unknown[] {
  const shown = list.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1));
  return list.length > MAX_ITEMS ? [...shown, `… ${list.length - MAX_ITEMS} more`] : shown;
}

function redactFields(entries: [string, unknown][], depth: number): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of entries.slice(0, MAX_ITEMS)) {
    shown[key] = isSecretKey(key) && value !== undefined && value !== null ? HIDDEN : redact(value, depth + 1);
  }
  if (entries.length > MAX_ITEMS) shown['…'] = `${entries.length - MAX_ITEMS} more`;
  return shown;
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause, ...own } = error;
  return {
    type: error.name || name,
    message: redactText(error.message || message),
    ...(stack === undefined ? {} : { stack: redactText(stack) }),
    ...redactFields(Object.entries(own), depth + 1),
    ...(cause === undefined || depth >= MAX_DEPTH ? {} : { cause: redact(cause, depth + 1) }),
  };
}
