import { z } from 'zod';
import { type MonitorTraits, monitorTraits } from '../monitoring/kinds/kind.ts';
import { monitorKinds } from '../monitoring/kinds/kinds.ts';
import { type ChannelTraits, channelTraits } from '../notifications/channels/kind.ts';
import { channelKinds } from '../notifications/channels/kinds.ts';
import type { Kind } from '../schema/kind.ts';
import { described, type JsonSchema } from './json-schema.ts';

const kindView = <T extends z.ZodType>(traits: T) =>
  z.object({
    kind: z.string(),
    title: z.string(),
    description: z.string(),
    traits,
    settings: z.record(z.string(), z.unknown()).meta({
      description: 'JSON Schema (2020-12) of its `settings` as a person sends them. What is `writeOnly` is a secret',
    }),
    examples: z.record(z.string(), z.unknown()).meta({ description: 'Specifications that work, by what they do' }),
  });

export const monitorKindView = kindView(monitorTraits);
export const channelKindView = kindView(channelTraits);
export const kindsView = z.object({
  monitors: z.array(monitorKindView),
  channels: z.array(channelKindView),
});
export type KindsView = z.infer<typeof kindsView>;

/** Every kind of monitor and of channel that this version knows, with all that a form needs. */
export function allKinds(): KindsView {
  return { monitors: viewsOf<MonitorTraits>(monitorKinds), channels: viewsOf<ChannelTraits>(channelKinds) };
}

function viewsOf<T>(kinds: Readonly<Record<string, Omit<Kind, 'leads' | 'protects'> & { traits: T }>>) {
  return Object.entries(kinds).map(([kind, { title, description, traits, settings, examples }]) => ({
    kind,
    title,
    description,
    traits,
    settings: formOf(settings),
    examples: Object.fromEntries(Object.entries(examples).map(([what, example]) => [what, { kind, ...example }])),
  }));
}

/** The JSON Schema of settings, in which every field has a title. */
function formOf(settings: z.ZodType): JsonSchema {
  const schema = z.toJSONSchema(settings, { io: 'input', override: described('input') }) as JsonSchema;
  giveTitles(schema);
  return schema;
}

function giveTitles(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if ('properties' in node) {
    for (const [name, field] of Object.entries(node.properties as Record<string, JsonSchema>)) {
      field['title'] ??= titleOf(name);
    }
  }
  Object.values(node).forEach(giveTitles);
}

const INITIALISMS: ReadonlySet<string> = new Set(['json', 'smtp', 'tls', 'url']);

/** A field's name in words: `acceptedStatus` is `Accepted status`. */
function titleOf(name: string): string {
  if (INITIALISMS.has(name)) return name.toUpperCase();
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words[0]!.toUpperCase()}${words.slice(1)}`;
}
