import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildIfStale } from "../scripts/build.ts";
import { labExec } from "../src/lab/lab.ts";
import { labFolder } from "../src/lab/lab-state.ts";
import { fleet } from "./fleet-program.ts";
import { CLUSTER_NAME, makeUnitRepository, type UnitRepository } from "./unit-repository.ts";

const JOIN_LIMIT_MS = 60_000;

/** A repository of units and a lab of real machines of its own that follow it. */
export class LabCluster {
  readonly repository: UnitRepository;
  readonly name: string;
  readonly registry: string;
  readonly machines: readonly string[];

  private constructor(repository: UnitRepository, name: string, registry: string, machines: readonly string[]) {
    this.repository = repository;
    this.name = name;
    this.registry = registry;
    this.machines = machines;
  }

  /** Needs root. `registry` is an etcd's address; without one the lab runs fleet's own. Returns once every machine has joined. */
  static async up(size: { units: number; machines: number; registry?: string }): Promise<LabCluster> {
    await buildIfStale();
    const name = `bench-${process.pid}`;
    const repository = await makeUnitRepository(size.units, CLUSTER_NAME);
    const own = size.registry === undefined ? [] : ["--registry", size.registry];
    try {
      await fleet("lab", "up", "--name", name, "--machines", String(size.machines), "-C", repository.path, ...own);
    } catch (error) {
      repository.remove();
      throw error;
    }
    const registry = size.registry ?? `unix:${join(labFolder(name), "shared/registry.sock")}`;
    const names = Array.from({ length: size.machines }, (_, index) => `m${index + 1}`);
    const cluster = new LabCluster(repository, name, registry, names);
    try {
      await cluster.#joined();
      return cluster;
    } catch (error) {
      await cluster.down();
      throw error;
    }
  }

  fleet(...words: readonly string[]): Promise<string> {
    return fleet(...words, "-C", this.repository.path, "--registry", this.registry);
  }

  /** Runs a shell script in a machine and returns what it printed. */
  async inside(machine: string, script: string): Promise<string> {
    const { code, stdout, stderr } = await labExec(this.name, machine, ["sh", "-c", script]);
    if (code !== 0) throw new Error(`in ${machine}: ${script.slice(0, 80)} ended with ${code}: ${stderr}`);
    return stdout;
  }

  async down(): Promise<void> {
    await fleet("lab", "down", "--name", this.name);
    this.repository.remove();
  }

  async #joined(): Promise<void> {
    const limit = performance.now() + JOIN_LIMIT_MS;
    for (;;) {
      const listed = JSON.parse(await this.fleet("list-machines", "--json")) as { present: boolean }[];
      if (listed.filter((machine) => machine.present).length === this.machines.length) return;
      if (performance.now() > limit) throw new Error(`${listed.length} of ${this.machines.length} machines joined`);
      await sleep(200);
    }
  }
}
