import { z } from 'zod';
import { epochMs, id, line } from '../schema/fields.ts';
import { tolerant } from '../schema/tolerant.ts';
import { type ChannelKind, channelKinds } from './channels/kinds.ts';

type Spec = (typeof channelKinds)[ChannelKind]['spec'];
const specs = Object.values(channelKinds).map(({ spec }) => spec) as [Spec, ...Spec[]];

/** What a person sends to create or replace a channel. Unknown fields are refused. */
export const channelSpec = z.discriminatedUnion('kind', specs);
export type ChannelSpec = z.infer<typeof channelSpec>;

const record = { id, revision: z.int().min(1), createdAt: epochMs, updatedAt: epochMs };

/** A channel as it is kept. */
export const channel = z.object({ ...record, spec: tolerant(channelSpec) });
export type Channel = z.infer<typeof channel>;

const ofAnyKind = tolerant(z.strictObject({ kind: z.string().min(1).max(64), name: line(120), settings: z.unknown() }));
/** A channel's specification as it was written, maybe by a later version. */
export type AnyChannelSpec = z.infer<typeof ofAnyKind>;

/** What this version can send to; undefined for a kind, or for settings, of a later one. */
export function channelSpecOf(spec: AnyChannelSpec): ChannelSpec | undefined {
  return tolerant(channelSpec).safeParse(spec).data;
}

/** What CONFIG carries per channel, as for monitors: of any kind, as a later version may have others. Secrets in it are sealed. */
export const channelConfig = z.union([
  z.object({ ...record, spec: ofAnyKind }),
  z.object({ id, revision: z.int().min(1), deleted: z.literal(true) }),
]);
export type ChannelConfig = z.infer<typeof channelConfig>;
