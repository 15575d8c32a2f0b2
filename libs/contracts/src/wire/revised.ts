import { z } from 'zod';
import { id } from '../schema/fields.ts';

const revised = z.looseObject({ id, revision: z.int().min(1), deleted: z.unknown().optional() });
/** What every configuration says of itself, whatever version wrote it. */
export type RevisedConfig = z.infer<typeof revised>;

/** Those that are newer than what is known of them, by their ids. */
export function newerThan(configs: readonly RevisedConfig[], known: ReadonlyMap<string, number>): RevisedConfig[] {
  return configs.filter(({ id: one, revision }) => revision > (known.get(one) ?? 0));
}

/** The configurations among payloads; what is none is left out. */
export function revisedOf(payloads: readonly unknown[]): RevisedConfig[] {
  return payloads.flatMap((payload) => revised.safeParse(payload).data ?? []);
}
