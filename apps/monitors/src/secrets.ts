import { Inject, Injectable } from '@nestjs/common';
import { HIDDEN, mapSecrets } from '@tocsin/contracts';
import { type FieldError, isSealed, sealAnew, sealSecret, type SecretKeys } from '@tocsin/core';
import { CONFIG } from '@tocsin/service';
import { pointer, refuse } from './fields.ts';
import type { MonitorsConfig } from './monitors.config.ts';

/** Settles secrets with this deployment's keys. */
@Injectable()
export class Secrets {
  constructor(@Inject(CONFIG) private readonly config: MonitorsConfig) {}

  /** As {@link settleSecrets}. */
  settle<T>(spec: T, stored: unknown): T {
    return settleSecrets(spec, stored, this.config.secret);
  }

  /** Whether another key than the first one has sealed something in a stored specification, or none that we have (`lost`). */
  ageOf(spec: unknown): 'present' | 'old' | 'lost' {
    try {
      return JSON.stringify(this.sealAnew(spec)) === JSON.stringify(spec) ? 'present' : 'old';
    } catch {
      return 'lost';
    }
  }

  /** A stored specification with every secret sealed with the first key. @throws TocsinError `invalid` if no key opens one */
  sealAnew<T>(spec: T): T {
    return mapSecrets(spec, (value) => (isSealed(value) ? sealAnew(this.config.secret, value) : value));
  }
}

/**
 * The specification with every secret sealed. {@link HIDDEN} keeps the sealed value that stands at the same place of
 * `stored`; a value that arrives in plain is sealed here, so that none is ever stored as it is.
 * @throws TocsinError `invalid` where HIDDEN stands and there is nothing to keep
 */
export function settleSecrets<T>(spec: T, stored: unknown, keys: SecretKeys): T {
  const kept = new Map<string, string>();
  mapSecrets(stored, (value, path) => {
    kept.set(path, value);
    return value;
  });
  const missing: FieldError[] = [];
  const settled = mapSecrets(spec, (value, path) => {
    if (value !== HIDDEN) return isSealed(value) ? value : sealSecret(keys, value);
    const before = kept.get(path);
    if (before !== undefined) return before;
    missing.push({ path: pointer(['settings', ...stepsOf(path)]), message: 'holds no secret yet: send one' });
    return value;
  });
  if (missing.length > 0) refuse(missing, 'A secret is missing');
  return settled;
}

/** A header's name may contain dots, so only the first step is split off there. */
function stepsOf(path: string): string[] {
  return path.startsWith('headers.') ? ['headers', path.slice('headers.'.length)] : path.split('.');
}
