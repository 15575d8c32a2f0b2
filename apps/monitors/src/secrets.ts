import { Inject, Injectable } from '@nestjs/common';
import { HIDDEN, keptOrigin, mapSecrets, originOf } from '@tocsin/contracts';
import { type FieldError, isSealed, sealAnew, sealSecret, type SecretKeys } from '@tocsin/core';
import { CONFIG } from '@tocsin/service';
import { pointer, refuse } from './fields.ts';
import type { MonitorsConfig } from './monitors.config.ts';
import { destinationOf, differenceOf } from './secret-destination.ts';

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
    return mapSecrets(spec, ({ value }) => (isSealed(value) ? sealAnew(this.config.secret, value) : value));
  }
}

/**
 * The specification with every secret sealed, and what stands for one ({@link HIDDEN}, an address as it is shown) replaced
 * by what is stored at the same place. A stored secret stays only while it goes to the same place: whoever may change a
 * monitor is not therefore told its secrets.
 * @throws TocsinError `invalid` where there is nothing to keep, or where it would go elsewhere or less protected
 */
export function settleSecrets<T>(spec: T, stored: unknown, keys: SecretKeys): T {
  const there = new Map<string, string>();
  mapSecrets(stored, ({ value, path }) => {
    there.set(pointer(path), value);
    return value;
  });
  const bad: FieldError[] = [];
  const kept: string[] = [];
  const settled = mapSecrets(stillSecret(spec, there), ({ value, path, mark }) => {
    const at = pointer(path);
    const before = there.get(at);
    const field = pointer(['settings', ...path]);
    if (mark === 'address') {
      const origin = keptOrigin(value);
      if (origin === undefined) return value;
      if (before === undefined || originOf(before) !== origin) {
        bad.push({ path: field, message: 'stands for an address that is not the one there: send the whole address' });
      }
      return before ?? value;
    }
    if (value === HIDDEN && before === undefined) {
      bad.push({ path: field, message: 'holds no secret yet: send one' });
      return value;
    }
    if (before !== undefined && (value === HIDDEN || value === before)) {
      kept.push(field);
      return before;
    }
    return isSealed(value) ? value : sealSecret(keys, value);
  });
  if (kept.length > 0) {
    const moved = differenceOf(destinationOf(stored), destinationOf(settled));
    const message = `goes elsewhere now (${moved} differs): send it again, or send it to where it was`;
    if (moved !== undefined) bad.push(...kept.map((path) => ({ path, message })));
  }
  if (bad.length > 0) refuse(bad, 'A secret can not be kept');
  return settled;
}

/** A header that was secret is not written in plain because it was sent without saying so again. */
function stillSecret<T>(spec: T, there: ReadonlyMap<string, string>): T {
  const { settings } = spec as { settings?: { headers?: Record<string, unknown> } };
  if (typeof settings?.headers !== 'object') return spec;
  const headers = Object.fromEntries(
    Object.entries(settings.headers).map(([name, value]) => {
      const secret = typeof value === 'string' && there.has(pointer(['headers', name]));
      return [name, secret ? { value, secret: true } : value];
    }),
  );
  return { ...spec, settings: { ...settings, headers } };
}
