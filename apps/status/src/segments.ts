/** Up to where each level of roll-ups is complete, in ms since the epoch; absent where there is none yet. */
export interface Progress {
  done300?: number | undefined;
  done3600?: number | undefined;
  done86400?: number | undefined;
}

/** A stretch of time that one table answers for: single results (`raw`) or roll-ups of a level, in seconds. */
export interface Segment {
  from: number;
  to: number;
  level: 'raw' | 300 | 3_600 | 86_400;
}

const RAW_STEP_MS = 300_000;

/**
 * Cuts [from, to) into stretches so that each is read from the coarsest roll-ups that lie wholly in it and are complete;
 * the ragged edges and the newest minutes are read from the results themselves.
 */
export function segments(from: number, to: number, progress: Progress): Segment[] {
  const levels = [
    [86_400, progress.done86400],
    [3_600, progress.done3600],
    [300, progress.done300],
  ] as const;
  const cut: Segment[] = [];
  for (let at = from; at < to;) {
    const found = levels.find(
      ([seconds, done]) => at % (seconds * 1_000) === 0 && at + seconds * 1_000 <= Math.min(to, done ?? 0),
    );
    const level = found?.[0] ?? 'raw';
    const end = found ? at + found[0] * 1_000 : Math.min(to, at - (at % RAW_STEP_MS) + RAW_STEP_MS);
    const last = cut.at(-1);
    if (last?.level === level) last.to = end;
    else cut.push({ from: at, to: end, level });
    at = end;
  }
  return cut;
}
