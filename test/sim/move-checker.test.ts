/** What the checker of moves lets pass, and what it does not: both sides of each of its thresholds that once was wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import { MoveChecker } from "./move-checker.ts";

/** Longer than the hold after an election. */
const RULE_MS = 10_000;

class Registry {
  readonly said: string[] = [];
  readonly cluster = new SimCluster({ seed: 1, machines: 5, engines: 1, cluster: "sim" });
  readonly moves = new MoveChecker(this.cluster, (sentence) => this.said.push(sentence));

  async begin(): Promise<void> {
    for (const { id } of this.cluster.machines) this.moves.presence(id, true);
    this.cluster.machines[0]!.startEngine();
    this.moves.led(this.cluster.machines[0]!.id);
    await this.cluster.clock.advance(RULE_MS);
  }

  show(machine: number, isPresent: boolean): void {
    this.moves.presence(this.cluster.machines[machine]!.id, isPresent);
  }

  move(unit: string, from: number, to: number): void {
    const id = (index: number) => this.cluster.machines[index]!.id;
    this.moves.moved(unit, id(from), id(to), new Map([[unit, id(from)]]));
  }

  async end(): Promise<readonly string[]> {
    await this.cluster.end();
    return this.said;
  }
}

test("a machine that is back for a moment while its loss is written may lose its units when it goes again", async () => {
  const registry = new Registry();
  await registry.begin();
  registry.show(4, false);
  await registry.cluster.clock.advance(3_000);
  registry.show(4, true);
  await registry.cluster.clock.advance(2_000);
  registry.show(4, false);
  await registry.cluster.clock.advance(600);
  registry.move("s1.service", 4, 1);
  assert.deepEqual(await registry.end(), []);
});

test("one that was back for longer than any picture lasts is missed anew", async () => {
  const registry = new Registry();
  await registry.begin();
  registry.show(4, false);
  await registry.cluster.clock.advance(3_000);
  registry.show(4, true);
  await registry.cluster.clock.advance(8_100);
  registry.show(4, false);
  await registry.cluster.clock.advance(600);
  registry.move("s1.service", 4, 1);
  assert.match((await registry.end()).join(), /missed for 600 ms only/);
});

for (const isLost of [true, false]) {
  test(`two losses half a second apart are ${isLost ? "one that was written late where an answer was lost" : "too fast where all were answered"}`, async () => {
    const registry = new Registry();
    await registry.begin();
    registry.show(3, false);
    registry.show(4, false);
    await registry.cluster.clock.advance(3_000);
    if (isLost) registry.cluster.machines[0]!.engineRegistry!.unansweredMs = registry.cluster.clock.monotonicMs();
    registry.move("s1.service", 3, 1);
    await registry.cluster.clock.advance(500);
    registry.move("s2.service", 4, 1);
    const said = await registry.end();
    if (isLost) assert.deepEqual(said, []);
    else assert.match(said.join(), /500 ms after the last/);
  });
}
