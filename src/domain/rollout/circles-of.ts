/** From one node to another, both by number. */
export interface Edge {
  readonly from: number;
  readonly to: number;
}

/**
 * Which nodes lie on circles together: two nodes have the same number exactly if each can be reached from the other. Tarjan's strongly
 * connected components, with a stack of its own: a chain of 20,000 units would overflow the machine's.
 */
export function circlesOf(size: number, edges: readonly Edge[]): Int32Array {
  const { starts, targets } = adjacency(size, edges);
  const circle = new Int32Array(size).fill(-1);
  const index = new Int32Array(size).fill(-1);
  const low = new Int32Array(size);
  const next = starts.slice();
  const open: number[] = [];
  const path: number[] = [];
  let counter = 0;
  let circles = 0;
  const enter = (node: number) => {
    index[node] = low[node] = counter;
    counter += 1;
    open.push(node);
    path.push(node);
  };
  for (let root = 0; root < size; root += 1) {
    if (index[root] !== -1) continue;
    enter(root);
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      if (next[node]! < starts[node + 1]!) {
        const target = targets[next[node]!]!;
        next[node]! += 1;
        if (index[target] === -1) enter(target);
        else if (circle[target] === -1) low[node] = Math.min(low[node]!, index[target]!);
        continue;
      }
      path.pop();
      const above = path.at(-1);
      if (above !== undefined) low[above] = Math.min(low[above]!, low[node]!);
      if (low[node] !== index[node]) continue;
      for (let member = -1; member !== node; ) {
        member = open.pop()!;
        circle[member] = circles;
      }
      circles += 1;
    }
  }
  return circle;
}

/** The targets of each node's edges side by side: those of node `n` from `starts[n]` up to `starts[n + 1]`. */
function adjacency(size: number, edges: readonly Edge[]): { starts: Int32Array; targets: Int32Array } {
  const starts = new Int32Array(size + 1);
  for (const { from } of edges) starts[from + 1]! += 1;
  for (let node = 0; node < size; node += 1) starts[node + 1]! += starts[node]!;
  const fill = starts.slice();
  const targets = new Int32Array(edges.length);
  for (const { from, to } of edges) {
    targets[fill[from]!] = to;
    fill[from]! += 1;
  }
  return { starts, targets };
}
