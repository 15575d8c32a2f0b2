import { describe, expect, it } from 'vitest';
import { Shard } from './shard.ts';

const lease = { name: 's', fence: 1, isHeld: () => true, lost: new Promise<string>(() => {}), release: async () => {} };

describe(Shard.name, () => {
  it('has a watermark just before the oldest window that is still on its way', () => {
    const sut = new Shard(0, lease, 100);
    sut.started(150);
    sut.started(180);
    sut.advance(200);
    expect(sut.watermark).toBe(149);
    sut.finished(150);
    expect(sut.watermark).toBe(179);
    sut.finished(180);
    expect(sut.watermark).toBe(200);
  });

  it('waits for all monitors of one due time', () => {
    const sut = new Shard(0, lease, 100);
    sut.started(150);
    sut.started(150);
    sut.advance(200);
    sut.finished(150);
    expect(sut.watermark).toBe(149);
  });

  it('counts the windows on their way, not their due times', () => {
    const sut = new Shard(0, lease, 100);
    for (const dueAt of [150, 150, 150, 160]) sut.started(dueAt);
    expect(sut.pending).toBe(4);
    sut.finished(150);
    expect(sut.pending).toBe(3);
    for (const dueAt of [150, 150, 160]) sut.finished(dueAt);
    expect(sut.pending).toBe(0);
  });

  it('tells of a watermark once, when windows were handed out', () => {
    const sut = new Shard(0, lease, 100);
    sut.advance(150);
    expect(sut.takeWatermark()).toBeUndefined();
    sut.started(180);
    sut.advance(200);
    expect(sut.takeWatermark()).toBe(179);
    sut.finished(180);
    expect(sut.takeWatermark()).toBe(200);
    sut.advance(300);
    expect(sut.takeWatermark()).toBeUndefined();
  });
});
