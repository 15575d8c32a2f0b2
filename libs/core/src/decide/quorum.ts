import type { LocationState, MonitorState, Rules, Verdict } from './types.ts';

export interface Judgement {
  state: Verdict;
  reason: string;
  message: string;
}

/** For how long a location, or a monitor, may give no result before it counts as silent, in ms. */
export function silenceMs(rules: Pick<Rules, 'intervalMs' | 'timeoutMs'>): number {
  return Math.max(3 * rules.intervalMs, rules.intervalMs + rules.timeoutMs + 15_000);
}

/**
 * The verdict of all locations together, or undefined while those that have spoken leave it open.
 * A location that fell silent, measured against the newest evidence, has no vote and is not waited for: silence is
 * neither success nor failure. After a resumption or a change the rule waits for each again. With fewer locations to be heard than the quorum, all that are heard must agree.
 */
export function judge(rules: Rules, state: Pick<MonitorState, 'locations' | 'expectedSince'>): Judgement | undefined {
  const heard = rules.locations.map((name) => state.locations[name]);
  const newest = Math.max(...heard.map((location) => location?.at ?? 0));
  const limit = silenceMs(rules);
  const present = heard.filter((location) => newest - Math.max(location?.at ?? 0, state.expectedSince) <= limit);
  const voting = present.filter((location) => location !== undefined && location.verdict !== 'unknown');
  const down = voting.filter((location) => location?.verdict === 'down');
  const bad = voting.filter((location) => location?.verdict !== 'up');
  const quorum = Math.max(1, Math.min(rules.quorum, present.length));
  const total = rules.locations.length;
  if (down.length >= quorum)
    return judgement('down', down[0], total > 1 ? ` (${down.length} of ${total} locations)` : '');
  if (bad.length >= quorum)
    return judgement('degraded', bad[0], total > 1 ? ` (${bad.length} of ${total} locations)` : '');
  const good = voting.find((location) => location?.verdict === 'up');
  if (!good) return undefined;
  const partly = bad.length > 0 ? ` (not so in ${bad.length} of ${total} locations)` : '';
  return judgement('up', good, partly);
}

function judgement(state: Verdict, location: LocationState | undefined, suffix: string): Judgement {
  return { state, reason: location?.reason ?? '', message: `${location?.message ?? ''}${suffix}` };
}
