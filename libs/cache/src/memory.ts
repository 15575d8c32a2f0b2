import type { Entry } from './entry.ts';

interface Slot {
  entry: Entry;
  tags: readonly string[];
}

/** The memory tier: the entries used last, bounded in number and size. */
export class Memory {
  /** In order of use, the longest unused first. */
  private readonly slots = new Map<string, Slot>();
  private readonly keysOfTag = new Map<string, Set<string>>();
  private size = 0;

  constructor(
    private readonly maxItems: number,
    private readonly maxSize: number,
  ) {}

  get count(): number {
    return this.slots.size;
  }

  get(key: string): Entry | undefined {
    const slot = this.slots.get(key);
    if (slot === undefined) return undefined;
    this.slots.delete(key);
    this.slots.set(key, slot);
    return slot.entry;
  }

  set(key: string, entry: Entry, tags: readonly string[]): void {
    this.delete(key);
    if (entry.size > this.maxSize) return;
    this.slots.set(key, { entry, tags });
    this.size += entry.size;
    for (const tag of tags) this.tagged(tag).add(key);
    for (const oldest of this.slots.keys()) {
      if (this.slots.size <= this.maxItems && this.size <= this.maxSize) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const slot = this.slots.get(key);
    if (slot === undefined) return;
    this.slots.delete(key);
    this.size -= slot.entry.size;
    for (const tag of slot.tags) {
      const keys = this.keysOfTag.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) this.keysOfTag.delete(tag);
    }
  }

  deleteTag(tag: string): void {
    for (const key of this.keysOfTag.get(tag) ?? []) this.delete(key);
  }

  clear(): void {
    this.slots.clear();
    this.keysOfTag.clear();
    this.size = 0;
  }

  private tagged(tag: string): Set<string> {
    let keys = this.keysOfTag.get(tag);
    if (keys === undefined) this.keysOfTag.set(tag, (keys = new Set()));
    return keys;
  }
}
