import { describe, expect, it } from 'vitest';
import { Drain, STOP_PHASES } from './drain.ts';

describe('Drain', () => {
  it('runs the hooks of a phase to their end, and those of no other', async () => {
    const drain = new Drain();
    const ran: string[] = [];
    for (const phase of STOP_PHASES) {
      drain.onStop(phase, async () => {
        await Promise.resolve();
        ran.push(phase);
      });
    }
    await drain.run('finish');
    expect(ran).toEqual(['finish']);
  });

  it('goes on when a hook fails', async () => {
    const drain = new Drain();
    let ran = false;
    drain.onStop('release', () => {
      throw new Error('broken');
    });
    drain.onStop('release', () => void (ran = true));
    await drain.run('release');
    expect(ran).toBe(true);
  });
});
