import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { knowledge, Ledger } from './ledger.ts';

const ID = 'a monitor';

describe('a monitor that was shown with a name', () => {
  let ledger: Ledger;

  beforeEach(() => {
    vi.useFakeTimers();
    ledger = new Ledger();
  });
  afterEach(() => void vi.useRealTimers());

  function renamed(name: string): void {
    ledger.rename(ID, name)!.renamed = knowledge('acknowledged');
  }

  function shownAfter(ms: number, name: string): number {
    vi.advanceTimersByTime(ms);
    ledger.noteRead(ID, name, Date.now());
    return ledger.outdated.length;
  }

  it('is out of date once another name was acknowledged for a while', () => {
    expect(shownAfter(0, 'the first')).toBe(0);
    renamed('the second');
    expect(shownAfter(3_000, 'the first')).toBe(0);
    expect(shownAfter(1, 'the first')).toBe(1);
    expect(shownAfter(0, 'the second')).toBe(1);
  });

  it('may bear the one before while the change is young, and any that was asked for since', () => {
    renamed('the second');
    vi.advanceTimersByTime(10_000);
    renamed('the third');
    ledger.rename(ID, 'the fourth');
    expect(shownAfter(1_000, 'the second')).toBe(0);
    expect(shownAfter(10_000, 'the third')).toBe(0);
    expect(shownAfter(0, 'the fourth')).toBe(0);
    expect(shownAfter(0, 'the second')).toBe(1);
  });
});
