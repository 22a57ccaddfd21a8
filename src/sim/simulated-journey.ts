import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { SimCluster } from "./sim-cluster.ts";

/** Virtual seconds each step may take at most. */
const STEP_MS = 60_000;

/** The main job on simulated machines, for a Linux that cannot boot real ones: fleet's own daemons over a model of systemd. */
export async function simulatedJourney(options: {
  /** The folder of the example repository. */
  readonly example: string;
  /** The cluster its manifest names. */
  readonly cluster: string;
  readonly say: (line: string) => void;
  readonly step: (title: string) => void;
}): Promise<void> {
  const { say, step } = options;
  const sim = new SimCluster({ seed: 1, machines: 3, engines: 3, cluster: options.cluster });
  step("three simulated machines, each with an engine and an agent");
  sim.start();
  await sim.clock.advance(3_000);
  const commit = sim.commit(filesOf(options.example), "hello");
  const planned = await sim.plan(commit);
  if (planned.kind === "rejected") throw new Error(`the example does not compile: ${planned.diagnostics[0]?.saw}`);
  step("what this commit would change, on which machine (simulated)");
  const names = new Map(planned.plan.machines.map((machine) => [machine.id, machine.name]));
  for (const { action, unit, to } of planned.plan.changes)
    say(`+ ${action} ${unit} on ${names.get(to?.machine ?? planned.plan.machines[0]!.id)}`);
  step("make it the release and wait until it runs (simulated)");
  await sim.apply(commit);
  await converged(sim);
  showRunning(sim, say);
  const victim = sim.machines.find(({ manager }) =>
    [...manager.running().keys()].some((unit) => unit.startsWith("hello@")),
  )!;
  step(`pull the plug of ${victim.name} (simulated)`);
  const before = sim.clock.monotonicMs();
  // Its daemons need a moment of virtual time to notice that they are gone.
  victim.powerOff();
  await until(
    sim,
    () =>
      sim.machines
        .filter(({ powered }) => powered)
        .flatMap(({ manager }) => [...manager.running().keys()])
        .filter((unit) => unit.startsWith("hello@")).length === 2,
  );
  say(`after ${((sim.clock.monotonicMs() - before) / 1000).toFixed(1)} simulated seconds its units run elsewhere:`);
  showRunning(sim, say);
  await sim.end();
  say(
    "\nAll of this was SIMULATED. On a machine with systemd, dbus and iproute2 the same happens for real: sudo npm start",
  );
}

function showRunning(sim: SimCluster, say: (line: string) => void): void {
  for (const machine of sim.machines) {
    const units = machine.powered ? [...machine.manager.running().keys()].sort().join(" ") : "(off)";
    say(`${machine.name}  ${units}`);
  }
}

async function converged(sim: SimCluster): Promise<void> {
  for (let waited = 0; waited < STEP_MS; waited += 500) {
    await sim.clock.advance(500);
    if ((await sim.convergence())?.converged === true) return;
  }
  throw new Error("the simulated cluster did not converge");
}

async function until(sim: SimCluster, condition: () => boolean): Promise<void> {
  if (!(await sim.clock.runUntil(condition, STEP_MS))) throw new Error("the simulated units did not return");
}

function filesOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), readFileSync(path, "utf8")];
    }),
  );
}
