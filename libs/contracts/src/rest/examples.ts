import { monitorKinds } from '../monitoring/kinds/kinds.ts';
import { channelKinds } from '../notifications/channels/kinds.ts';
import type { Kind } from '../schema/kind.ts';

/** Bodies of requests that work as they are: a spec parses each by its route's schema. What is optional is mostly left out. */

export const examples = {
  monitors: ofKinds(monitorKinds),
  channels: ofKinds(channelKinds),
  monitorPatch: {
    'Check more often': { interval: '15s' },
    'No description, and no tags': { description: null, tags: [] },
  },
  tokens: {
    'For a dashboard': { name: 'dashboard', role: 'viewer' },
    'For a script': { name: 'deploy', role: 'editor' },
  },
  acknowledge: { 'With a note': { note: 'I am looking into it' }, 'Without a word': {} },
  note: { 'A note': { text: 'The disk was full; it is being emptied' } },
  heartbeat: { 'What a job printed': 'backed up 1,204 files' },
} as const;

function ofKinds(kinds: Readonly<Record<string, Pick<Kind, 'examples'>>>): Record<string, object> {
  const all = Object.entries(kinds).flatMap(([kind, { examples: of }]) =>
    Object.entries(of).map(([what, example]) => [what, { kind, ...example }] as const),
  );
  return Object.fromEntries(all);
}
