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
 * Some machines in a tree that knows, of each of its branches, the least load and the most that is free: the least loaded machine that
 * takes a group is found by looking at a few, and not at a thousand. It catches up with what changed only when it is asked.
 */
export class LoadIndex {
  readonly #machines: readonly number[];
  readonly #loads: Loads;
  /** Leaves from here on; node 1 is the root, the branches of node n are 2n and 2n+1. */
  readonly #firstLeaf: number;
  readonly #load: Int32Array;
  readonly #cpu: Float64Array;
  readonly #memory: Float64Array;
  readonly #leafOf = new Map<number, number>();
  #seen = 0;
  #best = -1;
  #bestLoad = NONE;

  /** Machine numbers, ascending: among equally loaded ones the first is the first in the list. */
  constructor(machines: readonly number[], loads: Loads) {
    this.#machines = machines;
    this.#loads = loads;
    this.#firstLeaf = 2 ** Math.ceil(Math.log2(Math.max(1, machines.length)));
    this.#load = new Int32Array(2 * this.#firstLeaf).fill(NONE);
    this.#cpu = new Float64Array(2 * this.#firstLeaf).fill(Number.NEGATIVE_INFINITY);
    this.#memory = new Float64Array(2 * this.#firstLeaf).fill(Number.NEGATIVE_INFINITY);
    for (const machine of machines) this.#leafOf.set(machine, this.#firstLeaf + this.#leafOf.size);
    this.#readAll();
  }

  /** The machine with the least load, and of those the first, that has room and takes it; -1: none. */
  least(wanted: Wanted): number {
    this.#catchUp();
    this.#best = -1;
    this.#bestLoad = NONE;
    this.#search(1, wanted);
    return this.#best === -1 ? -1 : this.#machines[this.#best - this.#firstLeaf]!;
  }

  #search(node: number, wanted: Wanted): void {
    // To the left there may be one with the same load that comes first; see below for who is searched first.
    if (this.#load[node]! >= this.#bestLoad && !(this.#load[node] === this.#bestLoad && this.#isLeftOfBest(node)))
      return;
    if (wanted.cpuMilli > 0 && this.#cpu[node]! < wanted.cpuMilli) return;
    if (wanted.memoryBytes > 0 && this.#memory[node]! < wanted.memoryBytes) return;
    if (node >= this.#firstLeaf) {
      if (wanted.takes !== null && !wanted.takes(this.#machines[node - this.#firstLeaf]!)) return;
      this.#best = node;
      this.#bestLoad = this.#load[node]!;
      return;
    }
    const [left, right] = [2 * node, 2 * node + 1];
    const isRightLess = this.#load[right]! < this.#load[left]!;
    this.#search(isRightLess ? right : left, wanted);
    this.#search(isRightLess ? left : right, wanted);
  }

  #isLeftOfBest(node: number): boolean {
    let leaf = node;
    while (leaf < this.#firstLeaf) leaf *= 2;
    return leaf < this.#best;
  }

  #catchUp(): void {
    const { touched } = this.#loads;
    if (touched.length - this.#seen > this.#machines.length / 4) this.#readAll();
    for (; this.#seen < touched.length; this.#seen += 1) {
      const leaf = this.#leafOf.get(touched[this.#seen]!);
      if (leaf !== undefined) this.#readLeaf(leaf);
    }
  }

  #readLeaf(leaf: number): void {
    this.#read(leaf);
    for (let node = leaf >>> 1; node > 0; node >>>= 1) this.#sum(node);
  }

  #readAll(): void {
    for (let leaf = 0; leaf < this.#machines.length; leaf += 1) this.#read(this.#firstLeaf + leaf);
    for (let node = this.#firstLeaf - 1; node > 0; node -= 1) this.#sum(node);
    this.#seen = this.#loads.touched.length;
  }

  #read(leaf: number): void {
    const machine = this.#machines[leaf - this.#firstLeaf]!;
    this.#load[leaf] = this.#loads.load[machine]!;
    this.#cpu[leaf] = this.#loads.freeCpu[machine]!;
    this.#memory[leaf] = this.#loads.freeMemory[machine]!;
  }

  #sum(node: number): void {
    const left = 2 * node;
    const right = left + 1;
    this.#load[node] = Math.min(this.#load[left]!, this.#load[right]!);
    this.#cpu[node] = Math.max(this.#cpu[left]!, this.#cpu[right]!);
    this.#memory[node] = Math.max(this.#memory[left]!, this.#memory[right]!);
  }
}

/** More than any load; also the load of leaves that stand for no machine. */
const NONE = 2 ** 31 - 1;
