/** Protocol rule 14: a leader that cannot read the release's commit gives way, and never places from an older one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId, UnitName } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";

const files = (version: string) => ({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: sim\n",
  "units/a.service": `[Service]\nExecStart=/bin/server ${version}\n`,
});

/** What keeps an engine from the commit: its source does not answer, or answers, and knows nothing newer than `old`. */
const WAYS: readonly (readonly [says: string, begin: (machine: SimMachine, old: CommitId) => void])[] = [
  [
    "a source that does not answer",
    ({ engineSource }) => {
      engineSource.down = true;
    },
  ],
  [
    "a mirror that stands still",
    ({ engineSource }, old) => {
      engineSource.stale = old;
    },
  ],
];

function heal({ engineSource }: SimMachine): void {
  engineSource.down = false;
  engineSource.stale = null;
}

class Story {
  readonly sim = new SimCluster({ seed: 3, machines: 3, engines: 2, cluster: "sim" });
  old: CommitId | null = null;

  async begin(): Promise<void> {
    this.sim.start();
    await this.sim.clock.advance(3_000);
    this.old = this.sim.commit(files("one"), "first");
    await this.sim.apply(this.old);
    await this.until("the first runs", () => this.runs("one"));
  }

  async until(what: string, isSo: () => boolean | Promise<boolean>, limitMs = 120_000): Promise<number> {
    const fromMs = this.sim.clock.monotonicMs();
    while (!(await isSo())) {
      if (this.sim.clock.monotonicMs() - fromMs > limitMs) assert.fail(`${what}: not within ${limitMs} ms`);
      await this.sim.clock.advance(500);
    }
    return this.sim.clock.monotonicMs() - fromMs;
  }

  runs(version: string): boolean {
    const unit = "a.service" as UnitName;
    return this.sim.machines.some(({ manager }) =>
      manager.running().get(unit)?.text.includes(`/bin/server ${version}`),
    );
  }

  async leader(): Promise<{ readonly machine: string; readonly term: number } | null> {
    const { entries } = await this.sim.registry.list(this.sim.keys.leader, { exact: true });
    return entries[0] === undefined ? null : JSON.parse(entries[0].value);
  }

  async term(): Promise<number> {
    const { entries } = await this.sim.registry.list(this.sim.keys.term, { exact: true });
    return JSON.parse(entries[0]!.value).term;
  }

  machineOf(id: string): SimMachine {
    return this.sim.machines.find((machine) => machine.id === id)!;
  }
}

for (const [says, begin] of WAYS) {
  test(`${says} makes the leader give way after 30 s to one that can read, and it does not come back`, async () => {
    const story = new Story();
    await story.begin();
    const first = (await story.leader())!;
    begin(story.machineOf(first.machine), story.old!);
    await story.sim.apply(story.sim.commit(files("two"), "second"));
    const tookMs = await story.until("the second runs", () => story.runs("two"));
    assert.ok(tookMs >= 30_000, `${tookMs} ms`);
    const second = (await story.leader())!;
    assert.notEqual(second.machine, first.machine);
    assert.equal(second.term, first.term + 1);
    // Nor when the other one goes: it still cannot read.
    story.machineOf(second.machine).crashEngine();
    await story.sim.clock.advance(120_000);
    assert.equal(await story.leader(), null);
    assert.equal(await story.term(), second.term);
    heal(story.machineOf(first.machine));
    await story.until("it leads again", async () => (await story.leader())?.machine === first.machine, 20_000);
    await story.sim.end();
  });

  test(`where no engine can read because of ${says}, each gives way once, and nobody takes turns`, async () => {
    const story = new Story();
    await story.begin();
    const before = await story.term();
    for (const machine of story.sim.machines) begin(machine, story.old!);
    await story.sim.apply(story.sim.commit(files("two"), "second"));
    await story.until("both gave way", async () => (await story.leader()) === null && (await story.term()) > before);
    const after = await story.term();
    await story.sim.clock.advance(600_000);
    assert.equal(await story.term(), after);
    assert.ok(after <= before + 1, `terms ${before} to ${after}`);
    assert.ok(story.runs("one"), "what ran runs on");
    assert.ok(!story.runs("two"));
    for (const machine of story.sim.machines) heal(machine);
    await story.until("the second runs", () => story.runs("two"), 30_000);
    await story.sim.end();
  });
}
