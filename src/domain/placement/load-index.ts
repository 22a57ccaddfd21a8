/** What an index asks of the machines it holds. */
export interface Loads {
  readonly load: Int32Array;
  /** What is left; less than 0 where more was promised, infinite where the machine has not said what it has. */
  readonly freeCpu: Float64Array;
  readonly freeMemory: Float64Array;
  /** The machines on which something changed, in order of time. */
  readonly touched: readonly number[];
}

/** What is looked for. */
export interface Wanted {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** Asked of the least loaded first; null where none is refused. */
  readonly takes: ((machine: number) => boolean) | null;
}

/**
 * Machines in one tree or several, each of which knows, of each of its branches, the least load and the most that is free: the least loaded
 * machine that takes a group is found by looking at a few, and not at a thousand. It catches up with what changed only when it is asked.
 */
export class LoadIndex {
  readonly #loads: Loads;
  readonly #trees: readonly Tree[];
  /** By machine: its leaf, and the tree it is in; -1 where it is in none. */
  readonly #leafOf: Int32Array;
  readonly #treeOf: Int32Array;
  #size = 0;
  #seen = 0;

  /** For each tree its machine numbers, ascending: among equally loaded ones the first is the first in the list. A machine is in one tree at most. */
  constructor(lists: readonly (readonly number[])[], loads: Loads) {
    this.#loads = loads;
    this.#trees = lists.map((machines) => new Tree(machines, loads));
    this.#leafOf = new Int32Array(loads.load.length);
    this.#treeOf = new Int32Array(loads.load.length).fill(-1);
    for (let tree = 0; tree < lists.length; tree += 1) {
      const machines = lists[tree]!;
      this.#size += machines.length;
      for (let leaf = 0; leaf < machines.length; leaf += 1) {
        this.#leafOf[machines[leaf]!] = leaf;
        this.#treeOf[machines[leaf]!] = tree;
      }
    }
    this.#readAll();
  }

  /** The machine of that tree with the least load, and of those the first, that has room and takes it; -1: none. */
  least(tree: number, wanted: Wanted): number {
    this.#catchUp();
    return this.#trees[tree]!.least(wanted);
  }

  hasMachines(tree: number): boolean {
    return this.#trees[tree]!.hasMachines;
  }

  #catchUp(): void {
    const { touched } = this.#loads;
    if (touched.length - this.#seen > this.#size / 4) this.#readAll();
    for (; this.#seen < touched.length; this.#seen += 1) {
      const machine = touched[this.#seen]!;
      const tree = this.#treeOf[machine]!;
      if (tree >= 0) this.#trees[tree]!.read(this.#leafOf[machine]!);
    }
  }

  #readAll(): void {
    for (const tree of this.#trees) tree.readAll();
    this.#seen = this.#loads.touched.length;
  }
}

/** Node 1 is the root, the branches of node n are 2n and 2n+1, the leaves are the last half. */
class Tree {
  readonly #machines: readonly number[];
  readonly #loads: Loads;
  readonly #firstLeaf: number;
  readonly #load: Int32Array;
  readonly #cpu: Float64Array;
  readonly #memory: Float64Array;
  #best = -1;
  #bestLoad = NONE;

  constructor(machines: readonly number[], loads: Loads) {
    this.#machines = machines;
    this.#loads = loads;
    this.#firstLeaf = 2 ** Math.ceil(Math.log2(Math.max(1, machines.length)));
    this.#load = new Int32Array(2 * this.#firstLeaf).fill(NONE);
    this.#cpu = new Float64Array(2 * this.#firstLeaf).fill(Number.NEGATIVE_INFINITY);
    this.#memory = new Float64Array(2 * this.#firstLeaf).fill(Number.NEGATIVE_INFINITY);
  }

  get hasMachines(): boolean {
    return this.#machines.length > 0;
  }

  least(wanted: Wanted): number {
    this.#best = -1;
    this.#bestLoad = NONE;
    this.#search(1, wanted);
    return this.#best === -1 ? -1 : this.#machines[this.#best - this.#firstLeaf]!;
  }

  read(leaf: number): void {
    this.#readLeaf(leaf);
    for (let node = (this.#firstLeaf + leaf) >>> 1; node > 0 && this.#sum(node); node >>>= 1);
  }

  readAll(): void {
    for (let leaf = 0; leaf < this.#machines.length; leaf += 1) this.#readLeaf(leaf);
    for (let node = this.#firstLeaf - 1; node > 0; node -= 1) this.#sum(node);
  }

  #search(node: number, wanted: Wanted): void {
    const load = this.#load[node]!;
    // To the left there may be one with the same load that comes first; see below for who is searched first.
    if (load > this.#bestLoad || (load === this.#bestLoad && !this.#isLeftOfBest(node))) return;
    if (wanted.cpuMilli > 0 && this.#cpu[node]! < wanted.cpuMilli) return;
    if (wanted.memoryBytes > 0 && this.#memory[node]! < wanted.memoryBytes) return;
    if (node >= this.#firstLeaf) {
      if (wanted.takes !== null && !wanted.takes(this.#machines[node - this.#firstLeaf]!)) return;
      this.#best = node;
      this.#bestLoad = load;
      return;
    }
    const left = 2 * node;
    const isRightLess = this.#load[left + 1]! < this.#load[left]!;
    this.#search(isRightLess ? left + 1 : left, wanted);
    this.#search(isRightLess ? left : left + 1, wanted);
  }

  #isLeftOfBest(node: number): boolean {
    let leaf = node;
    while (leaf < this.#firstLeaf) leaf *= 2;
    return leaf < this.#best;
  }

  #readLeaf(leaf: number): void {
    const machine = this.#machines[leaf]!;
    this.#load[this.#firstLeaf + leaf] = this.#loads.load[machine]!;
    this.#cpu[this.#firstLeaf + leaf] = this.#loads.freeCpu[machine]!;
    this.#memory[this.#firstLeaf + leaf] = this.#loads.freeMemory[machine]!;
  }

  /** Whether the node is other than it was: where it is not, nothing above it is. */
  #sum(node: number): boolean {
    const left = 2 * node;
    const load = Math.min(this.#load[left]!, this.#load[left + 1]!);
    const cpu = Math.max(this.#cpu[left]!, this.#cpu[left + 1]!);
    const memory = Math.max(this.#memory[left]!, this.#memory[left + 1]!);
    if (load === this.#load[node] && cpu === this.#cpu[node] && memory === this.#memory[node]) return false;
    this.#load[node] = load;
    this.#cpu[node] = cpu;
    this.#memory[node] = memory;
    return true;
  }
}

/** More than any load; also the load of leaves that stand for no machine. */
const NONE = 2 ** 31 - 1;
