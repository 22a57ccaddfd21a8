import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { CORRECTIONS_MAX } from "../../src/domain/drift/judge-drift.ts";
import type { UnitDrift } from "../../src/domain/drift/unit-drift.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";

const MACHINE = "m1";
const RUN = "/run/systemd/system";
const ETC = "/etc/systemd/system";

/** Units that are put back, by what is done to each. */
const KEPT = ["edited", "reloaded", "running", "described", "deleted", "masked", "etc-masked", "extended", "stopped"];
const ALL = [...KEPT, "bystander", "watched", "loose", "fought", "marker"].map((name) => `${name}.service`);
const text = (unit: string, about = "ours", command = "sleep infinity") =>
  `[Unit]\nDescription=${about}\n\n[Service]\nExecStart=/bin/sh -c ': ${unit}; exec ${command}'\n`;
const theirs = (unit: string) => text(`${unit}.service`, "theirs", "sleep 100000");

describe("row 61: an admin edits, masks or deletes our unit", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    const gone = Object.fromEntries(
      ["red", "blue", "everywhere", "hello@"].map((name) => [`units/${name}.service`, null]),
    );
    const manifest =
      "apiVersion: fleet/v1\ncluster: hello\nunits: { watched.service: { drift: detect }, loose.service: { drift: off } }\n";
    const units = Object.fromEntries(ALL.map((unit) => [`units/${unit}`, text(unit)]));
    await cluster.commit("units to meddle with", { ...gone, "fleet.yaml": manifest, ...units });
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--allow-deletes");
    assert.equal(code, 0, stdout + stderr);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  const sh = (script: string) => cluster.inside(MACHINE, "/bin/sh", "-ec", script);

  /** What somebody does at the machine at once, before the agent sees any of it. */
  const byHand = (script: string) =>
    sh(`systemctl kill -s STOP fleet-agent; trap 'systemctl kill -s CONT fleet-agent' EXIT\n${script}`);
  const put = (path: string, content: string) =>
    `mkdir -p "$(dirname ${path})"; cat > ${path} <<'END'\n${content}END\n`;

  /** By unit, without its suffix: which process it is. */
  const processes = async (): Promise<Record<string, string>> => {
    const shown = await cluster.inside(MACHINE, "systemctl", "show", "-p", "Id", "-p", "InvocationID", "--", ...ALL);
    const blocks = shown
      .split("\n\n")
      .map((block) => /Id=(.+)\.service\nInvocationID=(.*)|InvocationID=(.*)\nId=(.+)\.service/.exec(block.trim())!);
    return Object.fromEntries(blocks.map((match) => [match[1] ?? match[4]!, match[2] ?? match[3]!]));
  };
  const changed = (one: Record<string, string>, other: Record<string, string>) =>
    Object.keys(one).filter((unit) => one[unit] !== other[unit]);

  /** What the cluster is told of each unit's drift. */
  const told = async (): Promise<Record<string, string>> => {
    const rows = (await cluster.status()).units as unknown as { unit: string; drift: UnitDrift | null }[];
    return Object.fromEntries(
      rows.flatMap(({ unit, drift }) =>
        drift === null
          ? []
          : [[unit.slice(0, -8), `${drift.outcome}: ${drift.seen.map(({ kind }) => kind).join(" ")}`]],
      ),
    );
  };
  const saysOf = (units: Record<string, string>) =>
    eventually(`status says ${JSON.stringify(units)}`, async () => {
      const now = await told();
      return Object.entries(units).every(([unit, says]) => now[unit] === says) && now;
    });

  test("what systemd was not told of is found within seconds, and no process notices that it is put back", async () => {
    const before = await processes();
    await byHand(
      put(`${RUN}/edited.service`, theirs("edited")) +
        put(`${ETC}/extended.service.d/override.conf`, "[Service]\nEnvironment=NOISY=1\n") +
        `rm ${RUN}/deleted.service; ln -sf /dev/null ${RUN}/masked.service; ln -s /dev/null ${ETC}/etc-masked.service`,
    );
    await saysOf({
      edited: "corrected: edited",
      extended: "corrected: extra-dropin",
      deleted: "corrected: deleted",
      masked: "corrected: masked",
      "etc-masked": "corrected: masked",
    });
    assert.deepEqual(changed(before, await processes()), []);
    await asCommitted();
    const kept = await sh(`cd /var/lib/fleet/agent/drifted && find . -type f -o -type l | sort`);
    assert.deepEqual(kept.trim().split("\n"), [
      "./etc-masked.service/etc/systemd/system/etc-masked.service",
      "./extended.service/etc/systemd/system/extended.service.d/override.conf",
    ]);
  });

  test("what systemd has read is put back in it, and only what runs so, or not at all, gets another process", async () => {
    const before = await processes();
    await byHand(
      put(`${RUN}/reloaded.service`, theirs("reloaded")) +
        put(`${RUN}/running.service`, theirs("running")) +
        put(`${RUN}/described.service`, text("described.service", "theirs")) +
        put(`${ETC}/extended.service.d/override.conf`, "[Service]\nEnvironment=NOISY=1\n") +
        `rm ${RUN}/deleted.service; ln -sf /dev/null ${RUN}/masked.service; systemctl mask etc-masked; systemctl disable bystander
         systemctl daemon-reload
         systemctl restart running described extended
         systemctl stop stopped
         systemctl set-property bystander CPUWeight=50
         systemctl show -p InvocationID --value running described extended > /run/by-hand`,
    );
    const hands = (await sh("cat /run/by-hand")).split("\n").filter(Boolean);
    await saysOf({
      reloaded: "corrected: edited",
      running: "corrected: edited",
      described: "corrected: edited",
      extended: "corrected: extra-dropin",
      deleted: "corrected: deleted",
      masked: "corrected: masked",
      "etc-masked": "corrected: masked",
      stopped: "corrected: stopped",
      bystander: "corrected: extra-dropin",
    });
    const now = await eventually("all of them run", async () => {
      const states = await sh(`systemctl is-active -- ${ALL.join(" ")} || true`);
      return (
        states
          .trim()
          .split("\n")
          .every((state) => state === "active") && processes()
      );
    });
    assert.deepEqual(changed(before, now).sort(), ["described", "extended", "running", "stopped"]);
    assert.notEqual(now.running, hands[0], "its command was theirs");
    assert.equal(now.described, hands[1], "only its description was theirs");
    assert.notEqual(now.extended, hands[2], "its environment was theirs");
    await asCommitted();
    const commands = await sh(`systemctl show -p ExecStart -p LoadState -p NeedDaemonReload -- ${ALL.join(" ")}`);
    assert.equal(await sh("systemctl show -p CPUWeight --value bystander"), "[not set]\n");
    assert.doesNotMatch(commands, /sleep 100000|LoadState=(masked|not-found)/);
  });

  test("a unit file of somebody's own is a conflict and no drift: told, and left alone", async () => {
    const before = await processes();
    await byHand(`${put(`${ETC}/marker.service`, theirs("marker"))}systemctl daemon-reload`);
    const problemOf = async () =>
      (await cluster.status()).units.find((row) => row.unit === "marker.service")?.problem ?? null;
    await eventually("it is told", async () => (await problemOf())?.code === "shadowed");
    assert.equal(await sh(`cat ${ETC}/marker.service`), theirs("marker"));
    await byHand(`rm ${ETC}/marker.service; systemctl daemon-reload`);
    await eventually("it is over", async () => (await problemOf()) === null);
    assert.deepEqual(changed(before, await processes()), []);
  });

  test("wound 18: a suspension by hand is drift; detect is told of and not touched, off is neither", async () => {
    const before = await processes();
    await byHand(
      `${["watched", "loose"]
        .map(
          (unit) =>
            put(`${RUN}/${unit}.service`, theirs(unit)) + put(`${ETC}/${unit}.service.d/x.conf`, "[Service]\nNice=1\n"),
        )
        .join("")}systemctl daemon-reload; systemctl stop watched loose`,
    );
    await saysOf({ watched: "detected: edited extra-dropin stopped" });
    await lookedOver();
    const files = await sh(
      `cat ${RUN}/watched.service ${RUN}/loose.service; ls ${ETC}/watched.service.d ${ETC}/loose.service.d`,
    );
    assert.equal(files.match(/theirs/g)?.length, 2);
    assert.equal(files.match(/x\.conf/g)?.length, 2);
    assert.equal(await sh("systemctl is-active watched loose || true"), "inactive\ninactive\n");
    assert.equal((await told()).loose, undefined);
    assert.deepEqual(
      changed(before, await processes()).filter((unit) => !["marker", "watched", "loose"].includes(unit)),
      [],
    );
    const plan = JSON.parse((await cluster.fleet("plan", "--json")).stdout) as {
      drift: { unit: string; because: { code: string } }[];
    };
    assert.deepEqual(
      plan.drift.map(({ unit, because }) => `${unit} ${because.code}`),
      ["watched.service changed-by-hand"],
    );
  });

  test("a fight ends: whoever edits once more is left alone, and said", async () => {
    for (let round = 1; round <= CORRECTIONS_MAX; round++) {
      await byHand(`${put(`${RUN}/fought.service`, `${theirs("fought")}# ${round}\n`)}systemctl daemon-reload`);
      await eventually(
        `round ${round} is put back`,
        async () => (await sh(`cat ${RUN}/fought.service`)) === text("fought.service"),
      );
    }
    const before = await processes();
    await byHand(`${put(`${RUN}/fought.service`, theirs("fought"))}systemctl daemon-reload`);
    await saysOf({ fought: "given-up: edited" });
    await lookedOver();
    assert.equal(await sh(`cat ${RUN}/fought.service`), theirs("fought"));
    assert.deepEqual(
      changed(before, await processes()).filter((unit) => unit !== "marker"),
      [],
    );
  });

  /** The agent has looked at all files once more: it has found what was done to a unit just now. */
  let looks = 0;
  const lookedOver = async () => {
    await sh(`echo '# ${++looks}' >> ${RUN}/marker.service`);
    await eventually(
      "the marker is put back",
      async () => (await sh(`cat ${RUN}/marker.service`)) === text("marker.service"),
    );
  };

  /** Files are as committed, and none of others is left. */
  const asCommitted = async () => {
    for (const unit of KEPT) assert.equal(await sh(`cat ${RUN}/${unit}.service`), text(`${unit}.service`));
    const left = await sh(
      `cd ${ETC}; ls -d ${KEPT.map((unit) => `${unit}.service ${unit}.service.d`).join(" ")} 2>/dev/null || true`,
    );
    assert.equal(left, "");
  };
});
