import { z } from 'zod';
import { line } from '../../schema/fields.ts';
import type { Kind } from '../../schema/kind.ts';

/** What a kind of channel promises. `GET /v1/kinds` tells forms and operators the same. */
export const channelTraits = z.object({
  repeats: z.enum(['key', 'edit', 'none']).meta({
    description:
      'How a receiver tells a message that was sent twice. `key`: both carry one key; `edit`: the second replaces the first; ' +
      '`none`: it cannot',
  }),
});
export type ChannelTraits = z.infer<typeof channelTraits>;

/** One kind of channel. */
export function channelKind<const K extends string, S extends z.ZodObject>(
  kind: K,
  about: Kind<S> & { traits: ChannelTraits },
) {
  return { ...about, spec: z.strictObject({ kind: z.literal(kind), name: line(120), settings: about.settings }) };
}
