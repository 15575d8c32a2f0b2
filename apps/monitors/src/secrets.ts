import { Inject, Injectable } from '@nestjs/common';
import { channelKinds, HIDDEN, keptOrigin, mapSecrets, originOf } from '@tocsin/contracts';
import { type FieldError, isSealed, type Sealing, TocsinError } from '@tocsin/core';
import { CONFIG } from '@tocsin/service';
import { pointer, refuse } from './fields.ts';
import type { MonitorsConfig } from './monitors.config.ts';
import { destinationOf, differenceOf } from './secret-destination.ts';

/** Settles secrets with this deployment's keys: those of monitors with the ones of checks. */
@Injectable()
export class Secrets {
  constructor(@Inject(CONFIG) private readonly config: MonitorsConfig) {}

  /** As {@link settleSecrets}. */
  settle<T extends { kind: string }>(spec: T, stored: unknown): T {
    return settleSecrets(spec, stored, this.sealingOf(spec));
  }

  /**
   * Whether something in a stored specification is not sealed as it would be now: with the present key, an address as a whole;
   * or is sealed with a key that we do not have (`lost`).
   */
  ageOf(spec: { kind: string }): 'present' | 'old' | 'lost' {
    try {
      return JSON.stringify(this.reseal(spec)) === JSON.stringify(spec) ? 'present' : 'old';
    } catch {
      return 'lost';
    }
  }

  /** A stored specification with every secret sealed with the present key. @throws TocsinError `invalid` if no key opens one */
  reseal<T extends { kind: string }>(spec: T): T {
    const sealing = this.sealingOf(spec);
    return mapSecrets(spec, ({ value, mark }) => {
      if (mark === 'address') return sealing.resealAddress(value);
      return isSealed(value) ? sealing.reseal(value) : value;
    });
  }

  private sealingOf({ kind }: { kind: string }): Sealing {
    return this.config.sealing[Object.hasOwn(channelKinds, kind) ? 'channels' : 'checks'];
  }
}

/**
 * The specification with every secret sealed, and what stands for one ({@link HIDDEN}, an address as it is shown) replaced
 * by what is stored at the same place. A stored secret stays only while it goes to the same place: whoever may change a
 * monitor is not therefore told its secrets.
 * @throws TocsinError `invalid` where there is nothing to keep, or where it would go elsewhere or less protected
 */
export function settleSecrets<T>(spec: T, stored: unknown, sealing: Sealing): T {
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
      // What a patch does not mention is kept as well.
      if (value === before) kept.push(field);
      if (origin === undefined) return presently(value, () => sealing.resealAddress(value));
      if (before === undefined || originOf(before) !== origin) {
        bad.push({ path: field, message: 'stands for an address that is not the one there: send the whole address' });
      } else kept.push(field);
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
    return isSealed(value) ? presently(value, () => sealing.reseal(value)) : sealing.seal(value);
  });
  if (kept.length > 0) {
    const moved = differenceOf(destinationOf(stored), destinationOf(settled));
    const message = `goes elsewhere now (${moved} differs): send it again, or send it to where it was`;
    if (moved !== undefined) bad.push(...kept.map((path) => ({ path, message })));
  }
  if (bad.length > 0) refuse(bad, 'A secret can not be kept');
  return settled;
}

/** What a gateway that still has the key before has sealed is sealed with the present one, and left where it does not open. */
function presently(value: string, reseal: () => string): string {
  try {
    return reseal();
  } catch (error) {
    if (error instanceof TocsinError && error.code === 'invalid') return value;
    throw error;
  }
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
