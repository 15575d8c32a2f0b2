interface Node<T> {
  dueAt: number;
  item: T;
}

/** A binary min-heap by due time. */
export class DueHeap<T> {
  private readonly nodes: Node<T>[] = [];

  get size(): number {
    return this.nodes.length;
  }

  peek(): Node<T> | undefined {
    return this.nodes[0];
  }

  push(dueAt: number, item: T): void {
    const nodes = this.nodes;
    let at = nodes.length;
    nodes.push({ dueAt, item });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (nodes[parent]!.dueAt <= nodes[at]!.dueAt) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): Node<T> | undefined {
    const nodes = this.nodes;
    const top = nodes[0];
    const last = nodes.pop();
    if (nodes.length === 0 || last === undefined) return top;
    nodes[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (left < nodes.length && nodes[left]!.dueAt < nodes[least]!.dueAt) least = left;
      if (right < nodes.length && nodes[right]!.dueAt < nodes[least]!.dueAt) least = right;
      if (least === at) return top;
      this.swap(at, least);
      at = least;
    }
  }

  private swap(a: number, b: number): void {
    const node = this.nodes[a]!;
    this.nodes[a] = this.nodes[b]!;
    this.nodes[b] = node;
  }
}
