/** Files beside units go where their units go, version by version, whoever dies meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FILES_ROOT } from "../../src/domain/spec/delivered-file.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";

const repository = (version: string, instances = 3) => ({
  "fleet.yaml": `apiVersion: fleet/v1\ncluster: sim\nunits:\n  web@.service: { instances: ${instances}, rollout: { minHealthyTime: 1s } }\n`,
  "units/web/web@.service": `[Service]\nEnvironmentFile=${FILES_ROOT}/%n/app.env\nExecStart=/bin/web\n`,
  "units/web/files/app.env": `VERSION=${version}\n`,
});

/** Of each folder on a machine what its file says. */
function versionsOn({ files }: SimMachine): readonly (readonly [service: string, version: string | null])[] {
  return files.names(FILES_ROOT).map((name) => {
    const text = files.peek(`${FILES_ROOT}/${name}/app.env`)?.text ?? null;
    return [name, text === null ? null : /^VERSION=(.*)$/m.exec(text)![1]!];
  });
}

test("replicas of one machine take a changed file one after the other, each with one restart, though agents die", async () => {
  const sim = new SimCluster({ seed: 7, machines: 2, engines: 1, cluster: "sim" });
  const processes = () =>
    new Map(sim.machines.flatMap(({ manager }) => [...manager.running()].map(([name, one]) => [name, one.invocation])));
  const versions = () => sim.machines.flatMap(versionsOn);
  const areAll = (version: string, count: number) =>
    versions().length === count && processes().size === count && versions().every(([, one]) => one === version);
  const started = new Map<string, string[]>();
  for (const machine of sim.machines) {
    machine.observe(() => {
      for (const [name, { invocation }] of machine.manager.running()) {
        const seen = started.get(name) ?? [];
        if (!seen.includes(invocation)) {
          started.set(name, [...seen, invocation]);
          const version = versionsOn(machine).find(([service]) => service === name)?.[1];
          begun.push([name, version ?? "none"]);
        }
      }
    });
  }
  let begun: [string, string][] = [];
  let mixed = false;

  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(repository("one"), "first"));
  assert.ok(await sim.clock.runUntil(() => areAll("one", 3), 60_000));
  assert.deepEqual(
    begun.map(([, version]) => version),
    ["one", "one", "one"],
    "each finds its file when it starts",
  );
  await sim.clock.advance(10_000);

  begun = [];
  await sim.apply(sim.commit(repository("two"), "second"));
  for (let looks = 0; looks < 300 && !areAll("two", 3); looks++) {
    await sim.clock.advance(200);
    mixed ||= sim.machines.some((machine) => new Set(versionsOn(machine).map(([, version]) => version)).size > 1);
    // Killed while files are under way, now on this machine and now on that.
    if (looks % 9 === 4) sim.machines[looks % 2]!.crashAgent();
    if (looks % 9 === 6) for (const machine of sim.machines) machine.startAgent();
  }
  for (const machine of sim.machines) machine.startAgent();
  assert.ok(await sim.clock.runUntil(() => areAll("two", 3), 60_000), JSON.stringify(versions()));
  assert.ok(mixed, "two replicas of one machine are at two versions for a while");
  assert.deepEqual(
    begun.sort(),
    [1, 2, 3].map((index) => [`web@${index}.service`, "two"]),
    "one restart each",
  );

  await sim.clock.advance(10_000);
  await sim.apply(sim.commit(repository("one", 1), "back, and fewer"));
  assert.ok(await sim.clock.runUntil(() => areAll("one", 1), 60_000), JSON.stringify(versions()));
  await sim.clock.advance(10_000);
  assert.deepEqual(versions(), [["web@1.service", "one"]], "nothing is left of the others");
  await sim.end();
});
