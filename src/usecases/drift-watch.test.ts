import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AgentMachine, server, UNITS, unit } from "../../test/agent-machine.ts";
import type { DriftPolicy } from "../domain/drift/drift-policy.ts";
import { CORRECTIONS_MAX } from "../domain/drift/judge-drift.ts";
import type { UnitName } from "../domain/names.ts";

const WEB = "web.service" as UnitName;
const DB = "db.service" as UnitName;
const FILE = `${UNITS}/web.service`;
const DROPIN = `${UNITS}/web.service.d/10-ours.conf`;
const OVERRIDE = "/etc/systemd/system/web.service.d/override.conf";
const MASK = "/etc/systemd/system/web.service";
const ASIDE = "/var/lib/fleet/agent/drifted/web.service";
const NOISY = "[Service]\nEnvironment=NOISY=1\n";

const wanted = (drift?: DriftPolicy) => [
  unit(WEB, server("web"), { files: { "web.service.d/10-ours.conf": "[Service]\nNice=1\n" }, ...(drift && { drift }) }),
  unit(DB, server("db"), drift && { drift }),
];

/** The one case in which systemd and the process may go on with what somebody wrote. */
const QUIET = "a new description that runs";

interface Case {
  readonly says: string;
  readonly hand: (machine: AgentMachine) => Promise<unknown>;
  readonly seen: string;
  /** Whether putting it back gives web another process. */
  readonly restarts: boolean;
}

const reload = (machine: AgentMachine) => machine.manager.reload();
const restart = async (machine: AgentMachine) => {
  await machine.during(machine.manager.stop(WEB));
  await machine.during(machine.manager.start(WEB));
};
const edit = (machine: AgentMachine, text: string, path = FILE) => machine.disk.write(path, text);

const CASES: readonly Case[] = [
  {
    says: "an edit that systemd never read",
    hand: (machine) => edit(machine, server("evil")),
    seen: `edited ${FILE}`,
    restarts: false,
  },
  {
    says: "an edit that systemd has read, and no process",
    hand: async (machine) => {
      await edit(machine, server("evil"));
      await reload(machine);
    },
    seen: `edited ${FILE}`,
    restarts: false,
  },
  {
    says: "an edit whose text runs",
    hand: async (machine) => {
      await edit(machine, server("evil"));
      await reload(machine);
      await restart(machine);
    },
    seen: `edited ${FILE}`,
    restarts: true,
  },
  {
    says: QUIET,
    hand: async (machine) => {
      await edit(machine, server("web", "Description=by hand\n"));
      await reload(machine);
      await restart(machine);
    },
    seen: `edited ${FILE}`,
    restarts: false,
  },
  {
    says: "an edit that systemd read when it was stopped and started",
    hand: async (machine) => {
      await edit(machine, server("evil"));
      await restart(machine);
    },
    seen: `edited ${FILE}`,
    restarts: true,
  },
  {
    says: "a deleted unit file",
    hand: async (machine) => {
      await machine.disk.remove(FILE);
      await reload(machine);
    },
    seen: `deleted ${FILE}`,
    restarts: false,
  },
  {
    says: "a deleted drop-in without which it runs",
    hand: async (machine) => {
      await machine.disk.remove(DROPIN, { prune: true });
      await reload(machine);
      await restart(machine);
    },
    seen: `deleted ${DROPIN}`,
    restarts: true,
  },
  {
    says: "a mask in place of its file",
    hand: async (machine) => {
      machine.disk.mask(FILE);
      await reload(machine);
    },
    seen: `masked ${FILE}`,
    restarts: false,
  },
  {
    says: "a mask in /etc",
    hand: async (machine) => {
      machine.disk.mask(MASK);
      await reload(machine);
    },
    seen: `masked ${MASK}`,
    restarts: false,
  },
  {
    says: "a drop-in of somebody else's that applies to nothing yet",
    hand: async (machine) => {
      await edit(machine, NOISY, OVERRIDE);
      await reload(machine);
    },
    seen: `extra-dropin ${OVERRIDE}`,
    restarts: false,
  },
  {
    says: "a drop-in of somebody else's with which it runs",
    hand: async (machine) => {
      await edit(machine, NOISY, OVERRIDE);
      await reload(machine);
      await restart(machine);
    },
    seen: `extra-dropin ${OVERRIDE}`,
    restarts: true,
  },
];

const invocation = (machine: AgentMachine, name: UnitName) => machine.manager.running().get(name)?.invocation;

async function settled(drift?: DriftPolicy): Promise<AgentMachine> {
  const machine = new AgentMachine();
  await machine.settle(wanted(drift));
  await machine.clock.advance(20_000);
  return machine;
}

function told(machine: AgentMachine, name = WEB): string {
  const report = machine.drift.get(name);
  if (report === undefined) return "nothing";
  const seen = report.seen.map(({ kind, path }) => (path === undefined ? kind : `${kind} ${path}`)).join(", ");
  return `${report.outcome} ${report.corrected}: ${seen}`;
}

describe("put back, and nothing restarts that need not", () => {
  for (const { says, hand, seen, restarts } of CASES) {
    test(says, async () => {
      const machine = await settled();
      await machine.during(hand(machine));
      const before = [invocation(machine, WEB), invocation(machine, DB)];
      await machine.settle(wanted());
      assert.equal(machine.disk.peek(FILE)?.text, wanted()[0]!.files[0]!.text);
      if (says !== QUIET) {
        machine.assertAs(wanted());
        assert.equal(machine.manager.running().get(WEB)?.held, machine.running()[WEB], "systemd holds our text");
      }
      assert.equal(invocation(machine, DB), before[1]);
      assert.equal(invocation(machine, WEB) !== before[0], restarts);
      assert.equal(told(machine), `corrected 1: ${seen}`);
      assert.equal(told(machine, DB), "nothing");
      assert.deepEqual(await machine.disk.list("/etc/systemd/system"), [], "nothing of theirs is left there");
    });
  }

  test("a stop by hand, also of what was masked or edited first", async () => {
    for (const hand of [
      async () => {},
      async (machine: AgentMachine) => machine.disk.mask(FILE),
      async (machine: AgentMachine) => machine.disk.mask(MASK),
      async (machine: AgentMachine) => machine.disk.remove(FILE),
      async (machine: AgentMachine) => edit(machine, server("evil")),
    ]) {
      const machine = await settled();
      await hand(machine);
      await machine.manager.reload();
      await machine.during(machine.manager.stop(WEB));
      await machine.settle(wanted());
      machine.assertAs(wanted());
      assert.match(told(machine), /^corrected 1: .*stopped$/);
    }
  });

  test("what somebody else wrote is kept where it can be read", async () => {
    const machine = await settled();
    await edit(machine, NOISY, OVERRIDE);
    machine.disk.mask(MASK);
    await machine.settle(wanted());
    assert.equal(machine.disk.peek(`${ASIDE}${OVERRIDE}`)?.text, NOISY);
    assert.equal(machine.disk.peek(`${ASIDE}${MASK}`)?.target, "/dev/null");
  });
});

test("what somebody has for a unit that is new here goes before it is started", async () => {
  const machine = new AgentMachine();
  await edit(machine, NOISY, OVERRIDE);
  await machine.settle(wanted());
  machine.assertAs(wanted());
  assert.equal(told(machine), `corrected 1: extra-dropin ${OVERRIDE}`);
  const starts = [...machine.manager.running().values()].map((unit) => Number.parseInt(unit.invocation, 16));
  assert.equal(Math.max(...starts), 2, "each was started once");
});

test("a unit file of somebody's own in /etc is a conflict as soon as systemd has read it, and is left alone", async () => {
  const machine = await settled();
  await edit(machine, server("mine"), MASK);
  await machine.settle(wanted());
  assert.equal(machine.blocked.length, 0);
  await machine.manager.reload();
  await machine.settle(wanted());
  await machine.settle(wanted());
  assert.deepEqual(
    machine.blocked.map(({ unit, because }) => `${unit} ${because.code}`),
    ["web.service shadowed"],
  );
  assert.equal(told(machine), "nothing");
  assert.equal(machine.disk.peek(MASK)?.text, server("mine"));
});

test("masked while its change was under way, a unit is told to reload itself once the mask is gone", async () => {
  const text = (trigger: string) =>
    `[Unit]\nX-Reload-Triggers=${trigger}\n[Service]\nExecStart=/bin/server\nExecReload=/bin/true\n`;
  const machine = new AgentMachine();
  await machine.settle([unit(WEB, text("one"))]);
  const before = invocation(machine, WEB);
  machine.beforeWrite = async () => {
    machine.beforeWrite = async () => {};
    machine.disk.mask(MASK);
  };
  await machine.settle([unit(WEB, text("two"))]);
  assert.equal(machine.manager.running().get(WEB)?.reloaded, text("two"));
  assert.equal(invocation(machine, WEB), before);
  assert.equal(told(machine), `corrected 1: masked ${MASK}`);
});

test("a mask that systemd has read and that is gone since, untold, keeps nothing from being as it is wanted", async () => {
  const text = (description: string) => `[Unit]\nDescription=${description}\n[Service]\nExecStart=/bin/server\n`;
  const machine = new AgentMachine();
  await machine.settle([unit(WEB, text("one"))]);
  const before = invocation(machine, WEB);
  machine.disk.mask(MASK);
  await machine.manager.reload();
  machine.disk.unmask(MASK);
  await machine.settle([unit(WEB, text("two"))]);
  assert.deepEqual(machine.blocked, []);
  assert.equal(machine.disk.peek(FILE)?.text, text("two"));
  assert.equal(invocation(machine, WEB), before);
});

for (const [what, hand] of [
  ["deleted", (machine: AgentMachine) => machine.disk.remove(FILE)],
  ["masked", async (machine: AgentMachine) => machine.disk.mask(FILE)],
  ["masked in /etc", async (machine: AgentMachine) => machine.disk.mask(MASK)],
] as const) {
  test(`a unit whose file was ${what} under it is stopped all the same when it has to go`, async () => {
    const machine = await settled();
    await hand(machine);
    await machine.manager.reload();
    await machine.settle([wanted()[1]!]);
    machine.assertAs([wanted()[1]!]);
  });
}

describe("left as it is", () => {
  for (const policy of ["detect", "off"] as const) {
    for (const { says, hand, seen } of CASES) {
      test(`${policy}: ${says}`, async () => {
        const machine = await settled(policy);
        await machine.during(hand(machine));
        const look = () => [machine.files(), machine.disk.peek(FILE), [...machine.manager.running().values()]];
        const before = look();
        for (let passes = 0; passes < 5; passes++) await machine.settle(wanted(policy));
        assert.deepEqual(look(), before);
        assert.deepEqual(machine.blocked, []);
        assert.equal(told(machine), policy === "off" ? "nothing" : `detected 0: ${seen}`);
      });
    }

    test(`${policy}: a stop by hand`, async () => {
      const machine = await settled(policy);
      await machine.during(machine.manager.stop(WEB));
      await machine.settle(wanted(policy));
      assert.deepEqual(Object.keys(machine.running()), [DB]);
      assert.equal(told(machine), policy === "off" ? "nothing" : "detected 0: stopped");
    });

    test(`${policy}: what the commit changes comes all the same`, async () => {
      const machine = await settled(policy);
      await edit(machine, server("evil"));
      await machine.settle(wanted(policy));
      const next = [unit(WEB, server("next"), { drift: policy }), unit(DB, server("db"), { drift: policy })];
      await machine.settle(next);
      machine.assertAs(next);
      assert.equal(told(machine), "nothing");
      await edit(machine, server("evil"));
      await machine.settle([unit(WEB, server("next"), { drift: policy, goal: "loaded" }), next[1]!]);
      assert.deepEqual(Object.keys(machine.running()), [DB], "and a new goal");
      await machine.settle([next[1]!]);
      assert.deepEqual(machine.files(), [DB], "and its end");
    });
  }

  test("what systemd stopped along with a unit that is left stopped is not started, which would start that one", async () => {
    const machine = new AgentMachine();
    const tied = (name: string, to: string) => unit(name, server(name, `BindsTo=${to}\nAfter=${to}\n`));
    const chain = [unit(DB, server("db"), { drift: "off" }), tied(WEB, DB), tied("edge.service", WEB)];
    await machine.settle(chain);
    await machine.during(machine.manager.stop(DB));
    for (let passes = 0; passes < 3; passes++) await machine.settle(chain);
    assert.deepEqual(Object.keys(machine.running()), []);
    assert.equal(told(machine), "detected 0: stopped");
    await machine.during(machine.manager.start(DB));
    await machine.settle(chain);
    machine.assertAs(chain, "once somebody has started it, so are they");
  });

  test("once told or put back, a change of policy holds at the next look", async () => {
    const machine = await settled("detect");
    await edit(machine, server("evil"));
    await machine.settle(wanted("detect"));
    await machine.settle(wanted());
    machine.assertAs(wanted());
    assert.match(told(machine), /^corrected 1/);
    await machine.settle(wanted("off"));
    assert.equal(told(machine), "nothing");
  });
});

describe("never a fight", () => {
  for (const { says, hand } of CASES) {
    test(says, async () => {
      const machine = await settled();
      for (let round = 1; round <= 12; round++) {
        await machine.during(hand(machine));
        await machine.settle(wanted());
        assert.match(told(machine), round > CORRECTIONS_MAX ? /^given-up 5/ : new RegExp(`^corrected ${round}`));
      }
      const next = [unit(WEB, server("next")), unit(DB, server("db"))];
      await machine.settle(next);
      machine.assertAs(next, "the next commit is put on the machine");
    });
  }

  test("what ends by itself again and again is a quarrel with its program", async () => {
    const machine = new AgentMachine();
    const ending = [unit(WEB, "[Service]\nExecStart=/bin/true\n")];
    await machine.settle([unit(WEB, "[Service]\nExecStart=/bin/true\n", { goal: "loaded" })]);
    for (let passes = 0; passes < 12; passes++) await machine.during(machine.pass(ending));
    assert.equal(told(machine), "given-up 5: stopped");
  });

  test("what systemd stops with another unit is started again as often as it takes", async () => {
    const machine = new AgentMachine();
    const follower = [unit(DB, server("db")), unit(WEB, server("web", "BindsTo=db.service\nAfter=db.service\n"))];
    await machine.settle(follower);
    for (let round = 0; round < 12; round++) {
      await machine.during(machine.manager.stop(WEB));
      await machine.settle(follower);
      assert.deepEqual(Object.keys(machine.running()), [DB, WEB]);
    }
  });
});

test("a file that cannot be read or replaced is that unit's trouble, and is tried again", async () => {
  const machine = await settled();
  await machine.disk.remove(FILE);
  await machine.disk.write(`${FILE}/in-the-way`, "");
  await machine.during(machine.manager.stop(DB));
  for (let passes = 0; passes < 8; passes++) await machine.during(machine.pass(wanted()));
  assert.deepEqual(Object.keys(machine.running()), [DB, WEB]);
  assert.match(told(machine), /^correcting 0: edited/);
  await machine.disk.remove(`${FILE}/in-the-way`, { prune: true });
  await machine.settle(wanted());
  machine.assertAs(wanted());
});

test("killed at any step of putting back what runs, the next agent ends with ours, and one restart", async () => {
  for (let steps = 0; ; steps++) {
    const machine = await settled();
    await edit(machine, server("evil"));
    await edit(machine, NOISY, OVERRIDE);
    await machine.manager.reload();
    await machine.during(restart(machine));
    const before = Number.parseInt(invocation(machine, WEB)!, 16);
    machine.disk.dieAfter(steps);
    const died = await machine.during(machine.pass(wanted())).then(
      () => false,
      () => true,
    );
    machine.restart();
    await machine.settle(wanted());
    machine.assertAs(wanted(), `died after ${steps} steps`);
    assert.equal(Number.parseInt(invocation(machine, WEB)!, 16), before + 1, `died after ${steps} steps`);
    if (!died) break;
    assert.ok(steps < 200);
  }
});
