import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import { rereadDirectives } from "../../src/domain/unit/directive-effects.ts";
import { effectOfFiles, type UnitEffect } from "../../src/domain/unit/unit-effect.ts";
import { labDown, labExec, labUp } from "../../src/lab/lab.ts";
import { readLab } from "../../src/lab/lab-state.ts";
import { clearAbandonedLabs, eventually, LAB_NAME as LAB, labSkipReason } from "./lab-name.ts";

const SLEEP = "[Service]\nExecStart=/bin/sleep 900\n";

/** Section → `Key=value`, and the property that shows it where it has another name. None of the values is the default. */
const SAMPLES: Readonly<Record<string, string>> = {
  Unit: `
    After=a.service; Before=a.service; Wants=a.service; Requires=a.service; Requisite=b.service; PartOf=b.service
    Conflicts=c.service; RequiresMountsFor=/mnt; DefaultDependencies=no
    PropagatesReloadTo=b.service; ReloadPropagatedFrom=b.service; PropagatesStopTo=b.service; StopPropagatedFrom=b.service
    OnFailure=b.service; OnSuccess=b.service; OnFailureJobMode=fail; OnSuccessJobMode=replace; FailureAction=reboot
    SuccessAction=reboot; FailureActionExitStatus=3; SuccessActionExitStatus=4; RebootArgument=x
    StartLimitIntervalSec=77 StartLimitIntervalUSec; StartLimitBurst=9; StartLimitAction=reboot
    JobTimeoutSec=55 JobTimeoutUSec; JobRunningTimeoutSec=44 JobRunningTimeoutUSec; JobTimeoutAction=reboot
    JobTimeoutRebootArgument=y; RefuseManualStart=yes; RefuseManualStop=yes; AllowIsolate=yes; IgnoreOnIsolate=yes
    CollectMode=inactive-or-failed`,
  Service: `
    ExecReload=/bin/true; ExecStop=/bin/true; ExecStopPost=/bin/true; Restart=always; RestartSec=7 RestartUSec
    SuccessExitStatus=42; RestartPreventExitStatus=43; RestartForceExitStatus=44; TimeoutStartSec=51 TimeoutStartUSec
    TimeoutStopSec=52 TimeoutStopUSec; TimeoutAbortSec=53 TimeoutAbortUSec; TimeoutStartFailureMode=kill
    TimeoutStopFailureMode=kill; TimeoutCleanSec=54 TimeoutCleanUSec; KillMode=mixed; KillSignal=2; RestartKillSignal=3
    FinalKillSignal=4; WatchdogSignal=5; SendSIGHUP=yes; SendSIGKILL=no; CPUWeight=20; StartupCPUWeight=21
    CPUQuota=30% CPUQuotaPerSecUSec; CPUQuotaPeriodSec=20ms CPUQuotaPeriodUSec; CPUAccounting=no; AllowedCPUs=0; StartupAllowedCPUs=0; AllowedMemoryNodes=0
    StartupAllowedMemoryNodes=0; MemoryAccounting=no; MemoryMin=1M; MemoryLow=2M; MemoryHigh=60M; MemoryMax=64M
    MemorySwapMax=1M; TasksAccounting=no; TasksMax=33; IOAccounting=yes; IOWeight=30; StartupIOWeight=31
    IODeviceWeight=/dev/null 20; IODeviceLatencyTargetSec=/dev/null 20ms IODeviceLatencyTargetUSec; IOReadBandwidthMax=/dev/null 1M
    IOWriteBandwidthMax=/dev/null 1M; IOReadIOPSMax=/dev/null 9; IOWriteIOPSMax=/dev/null 9`,
};

/** Listed as re-read and not asked about one by one: other spellings, what acts on others, and what this systemd does not show or have. */
const NOT_SHOWN: ReadonlySet<string> = new Set([
  ...["PropagateReloadTo", "PropagateReloadFrom", "StartLimitInterval", "OnFailureIsolate", "TimeoutSec"],
  ...["Upholds", "WantsMountsFor"],
]);

interface Sample {
  readonly key: string;
  readonly value: string;
  readonly property: string;
}

const samplesOf = (section: string): readonly Sample[] =>
  SAMPLES[section]!.split(/[;\n]/)
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => {
      const [, key, value, property] = /^(\w+)=(.*?)(?: ([A-Z]\w+))?$/.exec(text)!;
      return { key: key!, value: value!, property: property ?? key! };
    });
const print = (section: string) =>
  `[${section}]\n${samplesOf(section)
    .map(({ key, value }) => `${key}=${value}\n`)
    .join("")}`;

describe("what systemd does with a change", { skip: labSkipReason(), concurrency: false }, () => {
  before(async () => {
    await clearAbandonedLabs();
    await labUp({
      name: LAB,
      machines: 1,
      bundle: { node: process.execPath, folder: import.meta.dirname },
      units: () => [],
      processes: () => [],
      environment: {},
    });
  });

  after(async () => {
    if (readLab(LAB) !== null) assert.deepEqual(await labDown(LAB), []);
  });

  const inside = async (script: string): Promise<string> => {
    const { code, stdout, stderr } = await labExec(LAB, "m1", ["sh", "-euc", script]);
    assert.equal(code, 0, `${script}: ${stderr}`);
    return stdout.trim();
  };
  const write = (unit: string, text: string) => inside(`cat > /run/systemd/system/${unit} <<'END'\n${text}\nEND`);
  const start = async (unit: string, text: string) => {
    await write(unit, text);
    await inside(`systemctl daemon-reload; systemctl start ${unit}`);
  };
  const change = async (unit: string, from: string, to: string, effect: UnitEffect) => {
    const files = (text: string) => [{ path: unit, text }];
    assert.equal(effectOfFiles(unit as UnitName, files(from), files(to)).effect, effect);
    await write(unit, to);
    await inside("systemctl daemon-reload");
  };
  const show = async (unit: string): Promise<ReadonlyMap<string, string>> => {
    const properties = new Map<string, string>();
    for (const line of (await inside(`systemctl show --all ${unit}`)).split("\n")) {
      const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      // ExecReload and the like show several lines, each with what became of the last run.
      if (key !== undefined) properties.set(key, `${properties.get(key) ?? ""}${value}`);
    }
    return properties;
  };
  const RUNS = ["MainPID", "InvocationID", "NRestarts", "ActiveState", "ActiveEnterTimestampMonotonic"];
  const untouched = (old: ReadonlyMap<string, string>, next: ReadonlyMap<string, string>) => {
    for (const key of RUNS) assert.equal(next.get(key), old.get(key), key);
  };

  test("quiet: nothing it shows differs, once it is read again, but what people read", async () => {
    const to = `# by hand\n[Unit]\nDescription=Other\nDocumentation=man:x\n[X-Fleet]\nGlobal=yes\n${SLEEP}\n[Install]\nWantedBy=a.target\n`;
    await start("quiet.service", SLEEP);
    // A reload by itself already forgets how ExecStart= went and shows dependencies in another order.
    await inside("systemctl daemon-reload");
    const old = await show("quiet.service");
    await change("quiet.service", SLEEP, to, "quiet");
    const next = await show("quiet.service");
    const sorted = (value = "") => value.split(" ").sort().join(" ");
    const measured =
      /^(CPUUsageNSec|Memory(Current|Available)|TasksCurrent|IO(Read|Write)\w+|StateChangeTimestamp\w*)$/;
    const differing = [...next.keys()].filter((key) => sorted(next.get(key)) !== sorted(old.get(key)));
    assert.deepEqual(
      differing.filter((key) => !measured.test(key)).sort(),
      // What `systemctl enable` would do, which nobody calls.
      ["Description", "Documentation", "UnitFileState"],
    );
    untouched(old, next);
  });

  test("daemon-reload: every listed directive of services and units is taken, and the process stays", async () => {
    for (const section of Object.keys(SAMPLES)) {
      const sampled = new Set(samplesOf(section).map(({ key }) => key));
      const listed = rereadDirectives().filter(([of]) => of === section);
      assert.deepEqual(
        listed.map(([, key]) => key).filter((key) => !sampled.has(key) && !NOT_SHOWN.has(key)),
        section === "Service" ? ["FailureAction", "RebootArgument", "StartLimitAction", "StartLimitBurst"] : [],
        "each has a sample",
      );
    }
    const conditions = "ConditionPathExists=/never\nAssertPathExists=/never\n";
    const to = `${SLEEP}${print("Service").replace("[Service]\n", "")}${print("Unit")}${conditions}`;
    await start("reread.service", SLEEP);
    const old = await show("reread.service");
    await change("reread.service", SLEEP, to, "daemon-reload");
    const next = await show("reread.service");
    const stale = [...samplesOf("Unit"), ...samplesOf("Service")].filter(
      ({ property }) => next.get(property) === undefined || next.get(property) === old.get(property),
    );
    assert.deepEqual(stale, []);
    untouched(old, next);
  });

  test("daemon-reload: a new limit of a slice leaves what runs in it alone", async () => {
    const text = (limit: string) => `[Slice]\nMemoryMax=${limit}\n`;
    await start("lab.slice", text("64M"));
    await start("in.service", `${SLEEP}Slice=lab.slice\n`);
    const old = await show("in.service");
    await change("lab.slice", text("64M"), text("65M"), "daemon-reload");
    assert.equal((await show("lab.slice")).get("MemoryMax"), String(65 * 1024 * 1024));
    untouched(old, await show("in.service"));
    // Without the controller only systemd's own view can be asked.
    const limit = await inside("cat /sys/fs/cgroup/lab.slice/memory.max 2>/dev/null || echo none");
    if (limit !== "none") assert.equal(limit, String(65 * 1024 * 1024));
  });

  test("daemon-reload: a waiting timer computes its next time anew", async () => {
    const text = (calendar: string) => `[Timer]\nOnCalendar=${calendar}\nUnit=quiet.service\n`;
    await start("lab.timer", text("*-*-* 03:00"));
    const old = await show("lab.timer");
    await change("lab.timer", text("*-*-* 03:00"), text("*-*-* 04:00"), "daemon-reload");
    const next = await show("lab.timer");
    assert.notEqual(next.get("NextElapseUSecRealtime"), old.get("NextElapseUSecRealtime"));
    assert.equal(next.get("InvocationID"), old.get("InvocationID"));
  });

  test("restart: a timer that has ended does not go on after a daemon-reload", async () => {
    const ended = "[Timer]\nOnActiveSec=0\nAccuracySec=1us\nUnit=quiet.service\n";
    const to = `${ended}OnCalendar=daily\n`;
    await inside("systemctl stop quiet.service; systemctl daemon-reload");
    await start("ended.timer", ended);
    await inside(
      "until [ $(systemctl is-active quiet.service) = active ]; do sleep 0.05; done; systemctl stop quiet.service",
    );
    await inside("until [ $(systemctl show -P SubState ended.timer) = elapsed ]; do sleep 0.05; done");
    await change("ended.timer", ended, to, "restart");
    assert.equal((await show("ended.timer")).get("SubState"), "elapsed");
    await inside("systemctl restart ended.timer");
    assert.notEqual((await show("ended.timer")).get("SubState"), "elapsed");
    await inside("systemctl stop ended.timer");
  });

  test("reload: a mount's flags and a tmpfs's size, set and cleared without unmounting", async () => {
    const text = (options: string) => `[Mount]\nWhat=lab\nWhere=/mnt\nType=tmpfs\nOptions=${options}\n`;
    const mounted = async () => (await inside("grep ' /mnt ' /proc/self/mountinfo")).split(" ");
    const all = ["size=1024k,noexec", "size=2048k,ro,nosuid", "size=2048k"];
    await start("mnt.mount", text(all[0]!));
    const [id] = await mounted();
    for (const [index, options] of all.entries()) {
      if (index === 0) continue;
      await change("mnt.mount", text(all[index - 1]!), text(options), "reload");
      await inside("systemctl reload mnt.mount");
      const now = await mounted();
      const flags = [...now[5]!.split(","), ...now.at(-1)!.split(",")];
      assert.equal(now[0], id);
      assert.equal(flags.includes("size=2048k"), true, String(flags));
      for (const flag of ["noexec", "nosuid", "ro"]) assert.equal(flags.includes(flag), options.includes(flag), flag);
    }
  });

  test("restart: a tmpfs that loses its size keeps it across a reload", async () => {
    const text = (options: string) => `[Mount]\nWhat=lab\nWhere=/srv\nType=tmpfs\n${options}`;
    await start("srv.mount", text("Options=size=1024k\n"));
    await change("srv.mount", text("Options=size=1024k\n"), text(""), "restart");
    await inside("systemctl reload srv.mount");
    assert.match(await inside("grep ' /srv ' /proc/self/mountinfo"), /size=1024k/);
  });

  test("reload: a changed trigger reaches a service that can reload, also by a command the same change brings", async () => {
    const to = `[Unit]\nX-Reload-Triggers=2\n${SLEEP}ExecReload=/bin/touch /run/reloaded\n`;
    await start("web.service", SLEEP);
    const old = await show("web.service");
    await change("web.service", SLEEP, to, "reload");
    await inside("systemctl reload web.service; test -e /run/reloaded");
    untouched(old, await show("web.service"));
  });

  test("restart: what a process was given stays with it across a daemon-reload", async () => {
    const to = `${SLEEP}Environment=MARK=new\nLimitNOFILE=77\nNice=7\nWorkingDirectory=/tmp\nUMask=0777\nOOMScoreAdjust=77\nUser=daemon\n`;
    const given = async () => {
      const pid = await inside("systemctl show -P MainPID given.service");
      return inside(
        `cd /proc/${pid}; tr '\\0' '\\n' < environ | grep -c MARK=new || true; grep -c 'open files *77 ' limits || true
         cut -d' ' -f19 stat; readlink cwd; grep Umask status | cut -f2; cat oom_score_adj; grep Uid status | cut -f2`,
      ).then((lines) => lines.split("\n"));
    };
    await start("given.service", SLEEP);
    const old = await given();
    await change("given.service", SLEEP, to, "restart");
    assert.deepEqual(await given(), old);
    await inside("systemctl restart given.service");
    const next = await given();
    assert.deepEqual(
      next.map((value, index) => value !== old[index]),
      next.map(() => true),
    );
  });

  test("restart: bound to what is away, or needed by nobody, the reload itself stops it", async () => {
    await write("never.service", SLEEP);
    for (const [unit, line] of [
      ["bound.service", "BindsTo=never.service"],
      ["unneeded.service", "StopWhenUnneeded=yes"],
    ] as const) {
      await start(unit, SLEEP);
      await change(unit, SLEEP, `[Unit]\n${line}\n${SLEEP}`, "restart");
      await eventually(`${unit} is stopped`, async () => (await show(unit)).get("ActiveState") === "inactive", 10_000);
    }
  });
});
