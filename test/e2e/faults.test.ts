import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { labCable } from "../../src/lab/lab.ts";
import { needLab } from "../../src/lab/lab-state.ts";
import { ClusterOnLab, type ShownCluster, type ShownUnit } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const MACHINES = ["m1", "m2"];
const MANIFEST = "apiVersion: fleet/v1\ncluster: hello\n";
const sleeper = (options: string, ...lines: string[]) =>
  `[Service]\nExecStart=/bin/sleep infinity\n${lines.join("\n")}\n[X-Fleet]\n${options}\n`;
/** systemd itself starts it again when it dies. */
const MORTAL = sleeper("Global=true", "Restart=always", "RestartSec=200ms");
const UNITS: Readonly<Record<string, string>> = {
  "mortal.service": MORTAL,
  "on-m1.service": sleeper("MachineMetadata=machine=m1"),
  "on-m2.service": sleeper("MachineMetadata=machine=m2"),
  "free-1.service": sleeper(""),
  "free-2.service": sleeper(""),
  "free-3.service": sleeper(""),
  "free-4.service": sleeper(""),
};

/** Facts of `fleet status --json` that only these tests read. */
interface Shown extends ShownCluster {
  readonly units: readonly (ShownUnit & {
    readonly news: string;
    readonly oldSince: string | null;
    readonly hold: { readonly by: string; readonly reason: string; readonly until: string } | null;
  })[];
  readonly members: readonly (ShownCluster["members"][number] & {
    readonly absentSince: string | null;
    readonly acceptedSeq: number;
    readonly problem: { readonly code: string; readonly since: string } | null;
  })[];
}

describe("without the others", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", MACHINES.length);
    const examples = ["red", "blue", "everywhere", "hello@", "tick"].map((name) => `units/${name}.service`);
    await cluster.commit("units that stay, and units that may move", {
      "fleet.yaml": MANIFEST,
      ...Object.fromEntries([...examples, "units/tick.timer"].map((path) => [path, null])),
      ...Object.fromEntries(Object.entries(UNITS).map(([name, text]) => [`units/${name}`, text])),
    });
    await apply(0);
  });

  afterEach(async (context) => {
    if ((context as { passed?: boolean }).passed) return;
    registry("SIGCONT");
    console.error(await cluster.report());
  });

  after(async () => {
    registry("SIGCONT");
    await cluster?.down();
  });

  const apply = async (code: number, ...options: string[]): Promise<void> => {
    const result = await cluster.fleet("apply", "--auto-approve", "--allow-deletes", "--timeout", "30s", ...options);
    assert.equal(result.code, code, result.stdout + result.stderr);
  };

  const status = async () => (await cluster.status()) as Shown;
  const text = async () => (await cluster.ask("status")).stdout;
  const member = async (name: string) => (await status()).members.find((one) => one.name === name)!;

  /** The registry's process, which answers nobody while it is stopped. */
  function registry(signal: "SIGSTOP" | "SIGCONT"): void {
    const process_ = needLab(LAB_NAME).processes.find(({ role }) => role === "registry");
    if (process_ !== undefined) process.kill(process_.pid, signal);
  }

  const cables = (state: "up" | "down", machines = MACHINES) =>
    Promise.all(machines.map((machine) => labCable(LAB_NAME, machine, state)));

  const show = async (machine: string, property: string, unit: string): Promise<string> =>
    (await cluster.inside(machine, "systemctl", "show", "--value", `--property=${property}`, "--", unit)).trim();

  /** `unit/machine` → invocation of everything of ours that runs. */
  const invocations = async (): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    const properties = "--property=Id,ActiveState,InvocationID";
    for (const machine of MACHINES) {
      const shown = await cluster.inside(machine, "systemctl", "show", properties, "--", ...Object.keys(UNITS));
      for (const block of shown.trim().split("\n\n")) {
        const value = Object.fromEntries(block.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)));
        if (value.ActiveState === "active") found.set(`${value.Id}/${machine}`, value.InvocationID);
      }
    }
    return found;
  };

  const places = async () => (await status()).units.map((row) => `${row.unit}/${row.machineName}`).sort();

  const everybodyIsBack = () =>
    eventually("every machine is there, and says how its units are", async () => {
      const { members, units, leader } = await status();
      const fresh = units.every(({ news, active }) => news === "current" && active === "active");
      return leader !== null && members.every(({ present }) => present) && fresh;
    });

  /** A unit's process dies, and systemd starts it again: nobody else could. */
  const diesAndIsBack = async (machine: string): Promise<void> => {
    const [pid, restarts] = [
      await show(machine, "MainPID", "mortal.service"),
      await show(machine, "NRestarts", "mortal.service"),
    ];
    await cluster.inside(machine, "kill", "-9", pid);
    await eventually("systemd has started it again", async () => {
      const now = await show(machine, "NRestarts", "mortal.service");
      return (
        Number(now) === Number(restarts) + 1 && (await show(machine, "ActiveState", "mortal.service")) === "active"
      );
    });
  };

  const without = (map: ReadonlyMap<string, string>, ...keys: string[]) =>
    [...map].filter(([key]) => !keys.includes(key)).sort();

  test("row 46: a machine without git keeps what it has, says since when, and takes the rest once git is back", async () => {
    const before = await invocations();
    const { leader, members } = await status();
    // An engine that leads and cannot read the release would first have to give way.
    const cut = members.find(({ id }) => id !== leader?.machine)!.name;
    const other = MACHINES.find((name) => name !== cut)!;
    await cables("down", [cut]);
    await cluster.commit("a change for each machine", {
      "units/on-m1.service": UNITS["on-m1.service"]!.replace("infinity", "100001"),
      "units/on-m2.service": UNITS["on-m2.service"]!.replace("infinity", "100001"),
    });
    await apply(0, "--detach");
    const problem = await eventually(
      `${cut} says that it cannot read the commit`,
      async () => (await member(cut)).problem,
      60_000,
    );
    assert.equal(problem.code, "commit-unavailable");
    assert.ok(Date.now() - Date.parse(problem.since) < 60_000, problem.since);
    assert.match(await text(), new RegExp(`${cut}: commit-unavailable: .*, since ${problem.since} \\(\\d+ s ago\\)`));
    assert.match(await text(), new RegExp(`${cut} follows release 1, not yet release 2`));
    await eventually(
      `${other} has taken the change`,
      async () =>
        (await invocations()).get(`on-${other}.service/${other}`) !== before.get(`on-${other}.service/${other}`),
    );
    assert.deepEqual(
      without(await invocations(), `on-${other}.service/${other}`),
      without(before, `on-${other}.service/${other}`),
    );
    await diesAndIsBack(cut);
    await cables("up", [cut]);
    await apply(0);
    const now = await invocations();
    const changed = [...now].filter(([key, invocation]) => before.get(key) !== invocation).map(([key]) => key);
    assert.deepEqual(changed.sort(), [`mortal.service/${cut}`, "on-m1.service/m1", "on-m2.service/m2"].sort());
    assert.equal((await member(cut)).problem, null);
  });

  test("row 45: with the registry gone nothing stops, systemd restarts what dies, what is stopped is repaired, and nothing has moved afterwards", async () => {
    const [before, where] = [await invocations(), await places()];
    registry("SIGSTOP");
    await diesAndIsBack("m1");
    await cluster.inside("m2", "systemctl", "stop", "on-m2.service");
    await eventually(
      "what was stopped is repaired",
      async () => (await show("m2", "ActiveState", "on-m2.service")) === "active",
    );
    await eventually("no engine believes in its lease any more", async () => {
      const read = (machine: string) =>
        cluster.inside(machine, "journalctl", "-q", "-o", "cat", "-n", "5", "-u", "fleet-engine");
      return (await Promise.all(MACHINES.map(read))).some((said) => said.includes("leads no more"));
    });
    const own = ["mortal.service/m1", "on-m2.service/m2"];
    assert.deepEqual(without(await invocations(), ...own), without(before, ...own));
    registry("SIGCONT");
    await everybodyIsBack();
    assert.deepEqual(without(await invocations(), ...own), without(before, ...own));
    assert.deepEqual(await places(), where);
  });

  test("rows 47 and 49: with registry, git and engines gone on every machine at once, nothing stops, status says what was seen before and how old it is, and nothing has moved afterwards", async () => {
    const [before, where] = [await invocations(), await places()];
    assert.match(await text(), /^mortal\.service /m);
    registry("SIGSTOP");
    await cables("down");
    const asked = cluster.fleet("status");
    // What a daemon says goodbye to does not answer: it gives up on that by itself.
    const stopping = MACHINES.map((machine) => cluster.inside(machine, "systemctl", "stop", "fleet-engine"));
    await Promise.all(MACHINES.map(diesAndIsBack));
    await Promise.all(stopping);
    const said = await asked;
    assert.equal(said.code, 1, said.stdout);
    assert.match(said.stdout, /^mortal\.service /m);
    assert.match(said.stderr, /registry[\s\S]*\nthe cluster is shown as it was seen here at .* ago\)$/m);
    const own = MACHINES.map((machine) => `mortal.service/${machine}`);
    assert.deepEqual(without(await invocations(), ...own), without(before, ...own));
    registry("SIGCONT");
    await cables("up");
    await eventually("the agents are back, and nobody leads", async () => {
      const { leader, members } = await status();
      return leader === null && members.every(({ present }) => present);
    });
    assert.match(await text(), /engine none leads: nothing is placed or moved/);
    for (const machine of MACHINES) await cluster.inside(machine, "systemctl", "start", "fleet-engine");
    await everybodyIsBack();
    await apply(0);
    assert.deepEqual(without(await invocations(), ...own), without(before, ...own));
    assert.deepEqual(await places(), where);
  });

  test("row 44: an agent that is frozen past its lease keeps what runs; status calls its words old and says since when", async () => {
    const before = await invocations();
    const { leader, members } = await status();
    const frozen = members.find(({ id }) => id !== leader?.machine)!.name;
    const stays = `on-${frozen}.service`;
    await cluster.inside(frozen, "systemctl", "kill", "-s", "STOP", "--kill-whom=main", "fleet-agent");
    const row = await eventually("status takes its words for old, and knows since when", async () => {
      const seen = (await status()).units.find((one) => one.unit === stays);
      return seen?.news === "old" && seen.oldSince !== null && seen;
    });
    assert.equal((await member(frozen)).absentSince, row.oldSince);
    const shown = await text();
    assert.match(shown, new RegExp(`${frozen} is absent since ${row.oldSince} or before \\(\\d+ s ago\\)`));
    assert.match(shown, new RegExp(`${stays.replace(".", "\\.")} .* active \\(old\\)`));
    assert.match(shown, /\d+ active when last heard of/);
    const isFree = ({ unit }: ShownUnit) => unit.startsWith("free-");
    await eventually("what may move runs elsewhere as well", async () =>
      (await status()).units.filter(isFree).every((one) => one.machineName !== frozen && one.active === "active"),
    );
    const during = await invocations();
    for (const [key, invocation] of before)
      if (key.endsWith(`/${frozen}`)) assert.equal(during.get(key), invocation, key);
    await cluster.inside(frozen, "systemctl", "kill", "-s", "CONT", "--kill-whom=main", "fleet-agent");
    await everybodyIsBack();
    await apply(0);
    const now = await invocations();
    for (const key of [`${stays}/${frozen}`, `mortal.service/${frozen}`])
      assert.equal(now.get(key), before.get(key), key);
    const copies = [...now.keys()].filter((key) => key.startsWith("free-")).map((key) => key.split("/")[0]);
    assert.deepEqual(copies.sort(), ["free-1.service", "free-2.service", "free-3.service", "free-4.service"]);
  });

  test("row 65: an agent with 64 file descriptors stops nothing, and takes a hundred units all the same", async () => {
    const before = await invocations();
    const folder = "/etc/systemd/system/fleet-agent.service.d";
    const restart = (command: string) =>
      cluster.inside("m1", "sh", "-c", `${command} && systemctl daemon-reload && systemctl restart fleet-agent`);
    await restart(`mkdir -p ${folder} && printf '[Service]\\nLimitNOFILE=64\\n' > ${folder}/few.conf`);
    assert.equal(await show("m1", "LimitNOFILE", "fleet-agent"), "64");
    const names = Array.from({ length: 100 }, (_, index) => `units/few-${index}.service`);
    const unit = sleeper("MachineMetadata=machine=m1", "Type=oneshot", "RemainAfterExit=yes").replace(
      "sleep infinity",
      "true",
    );
    await cluster.commit("a hundred", Object.fromEntries(names.map((name) => [name, unit])));
    await apply(0);
    await cluster.commit("none of them", Object.fromEntries(names.map((name) => [name, null])));
    await apply(0);
    await restart(`rm -r ${folder}`);
    await everybodyIsBack();
    // An agent that is stopped is missed at once, and after the lab's grace of a second its movable units may go.
    const bound = (map: ReadonlyMap<string, string>) => [...map].filter(([key]) => !key.startsWith("free-"));
    assert.deepEqual(bound(await invocations()), bound(before));
  });

  test("wound 18: what is held stays as a person left it, and status says by whom, why and until when", async () => {
    const held = await cluster.fleet("hold", "on-m1.service", "--for", "1h", "--reason", "a look inside");
    assert.equal(held.code, 0, held.stderr);
    await eventually("status says so", async () => /on-m1\.service .* held/.test(await text()));
    await cluster.inside("m1", "systemctl", "stop", "on-m1.service");
    await cluster.inside("m1", "systemctl", "stop", "mortal.service");
    await eventually(
      "what is not held is repaired",
      async () => (await show("m1", "ActiveState", "mortal.service")) === "active",
    );
    assert.equal(await show("m1", "ActiveState", "on-m1.service"), "inactive");
    const row = (await status()).units.find(({ unit }) => unit === "on-m1.service")!;
    assert.deepEqual([row.hold?.reason, row.active], ["a look inside", "inactive"]);
    const leftMs = Date.parse(row.hold?.until ?? "") - Date.now();
    assert.ok(leftMs > 3_500_000 && leftMs <= 3_600_000, row.hold?.until);
    const close = (await cluster.ask("status", "on-m1")).stdout;
    assert.match(close, /held: by \S+ until \S+ \((60|59) min more\): a look inside/);
    await cluster.fleet("hold", "on-m1.service", "--end");
    await eventually(
      "its end is the end of it",
      async () => (await show("m1", "ActiveState", "on-m1.service")) === "active",
    );
  });

  test("rows 50 and 51: the whole cluster boots without registry, git or engines, and runs its last units; they are taken as they run, once all is back", async () => {
    const where = await places();
    const expected = [...(await invocations()).keys()].sort();
    registry("SIGSTOP");
    for (const machine of MACHINES) await cluster.lab("kill", machine);
    await cables("down");
    // One after the other: each writes down what the lab consists of.
    for (const machine of MACHINES) await cluster.lab("revive", machine);
    await eventually(
      "the last units run",
      async () => {
        const running = [...(await invocations()).keys()].sort();
        return JSON.stringify(running) === JSON.stringify(expected);
      },
      60_000,
    );
    for (const machine of MACHINES) {
      const restore = await cluster.inside(machine, "journalctl", "-q", "-b", "-o", "cat", "-u", "fleet-restore");
      assert.doesNotMatch(restore, /restoring/, "the agent did it, not the script");
    }
    const booted = await invocations();
    registry("SIGCONT");
    await cables("up");
    await everybodyIsBack();
    await apply(0);
    assert.deepEqual([...(await invocations())].sort(), [...booted].sort());
    assert.deepEqual(await places(), where);
  });
});
