/** Where secrets are in monitors and channels, so that one place seals, hides and keeps them. */

const SECRET_PATHS = new Set(['auth.password', 'auth.token', 'secret', 'smtp.password', 'tls.key']);
const SECRET_HEADER = /auth|cookie|token|secret|password|key|credential|session/i;

/** Whether a field of `settings`, written `auth.password`, holds a secret. Request headers do when they are named so. */
export function isSecretField(path: string): boolean {
  return SECRET_PATHS.has(path) || (path.startsWith('headers.') && SECRET_HEADER.test(path.slice(8)));
}

/**
 * A copy of a specification, or of a patch of one, with each secret in its `settings` replaced.
 * @param fn is given the value and its path in `settings`; what it throws is thrown
 */
export function mapSecrets<T>(spec: T, fn: (value: string, path: string) => string): T {
  if (!isRecord(spec) || !isRecord(spec['settings'])) return spec;
  return { ...spec, settings: walk(spec['settings'], '', fn) };
}

function walk(node: Record<string, unknown>, at: string, fn: (value: string, path: string) => string): unknown {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    const path = at === '' ? key : `${at}.${key}`;
    if (isRecord(value)) copy[key] = walk(value, path, fn);
    else copy[key] = typeof value === 'string' && isSecretField(path) ? fn(value, path) : value;
  }
  return copy;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
