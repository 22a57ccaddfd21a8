import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { cgroupFolder, HOST } from "../../src/lab/boot-machine.ts";
import { type LabOptions, labCable, labDown, labExec, labKill, labList, labRevive, labUp } from "../../src/lab/lab.ts";
import { type LabState, labFolder, readLab, startTimeOf } from "../../src/lab/lab-state.ts";
import { mustRun, runProgram } from "../../src/lab/run-program.ts";
import { clearAbandonedLabs, eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const SOURCE = join(import.meta.dirname, "../../src/lab");

/** Where a careless unit may write; the host must never see it. */
const MARK = `fleet-${LAB_NAME}-wrote-this`;
const WRITTEN = ["/etc", "/var/lib", "/home", "/root", "/tmp", "/var/tmp", "/usr/local", "/run", "/var/log"].map(
  (folder) => join(folder, MARK),
);

const WRITER = `[Unit]
Description=Writes wherever it can

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for file in ${WRITTEN.join(" ")}; do echo careless > $file; done; echo wrote them all'
`;

const LAB: LabOptions = {
  name: LAB_NAME,
  machines: 2,
  bundle: { node: process.execPath, folder: import.meta.dirname },
  units: () => [{ name: "writer.service", text: WRITER }],
  processes: () => [{ role: "bystander", argv: ["sleep", "600"] }],
  environment: {},
};

/** Makes the same lab, and ends itself once a machine runs that the state does not know yet. */
const KILLED_HALF_WAY = `
  import { processesOf } from ${JSON.stringify(join(SOURCE, "boot-machine.ts"))};
  import { labUp } from ${JSON.stringify(join(SOURCE, "lab.ts"))};
  setInterval(() => processesOf("${LAB_NAME}", "m1").length > 1 && process.kill(process.pid, "SIGKILL"), 1);
  await labUp({
    name: "${LAB_NAME}",
    machines: 2,
    bundle: { node: process.execPath, folder: ${JSON.stringify(import.meta.dirname)} },
    units: () => [],
    processes: () => [{ role: "bystander", argv: ["sleep", "600"] }],
    environment: {},
  });
`;

const INNER = `
  import { labDown, labExec, labKill, labRevive, labUp } from ${JSON.stringify(join(SOURCE, "lab.ts"))};
  const name = "inner";
  await labUp({
    name,
    machines: 1,
    bundle: { node: process.execPath, folder: ${JSON.stringify(import.meta.dirname)} },
    units: () => [],
    processes: () => [],
    environment: {},
  });
  const said = async (...argv) => (await labExec(name, "m1", argv)).stdout.trim();
  const state = await said("systemctl", "is-system-running", "--wait");
  await labKill(name, "m1");
  await labRevive(name, "m1");
  const revived = await said("cat", "/proc/1/comm");
  console.log(JSON.stringify({ state, revived, leftovers: await labDown(name) }));
`;

describe("the lab", { skip: labSkipReason(), concurrency: false }, () => {
  let lab: LabState;

  before(async () => {
    await clearAbandonedLabs();
    lab = await labUp(LAB);
  });

  after(async () => {
    if (readLab(LAB_NAME) !== null) assert.deepEqual(await labDown(LAB_NAME), []);
  });

  const inside = async (machine: string, ...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await labExec(LAB_NAME, machine, argv);
    assert.equal(code, 0, `${argv.join(" ")} in ${machine}: ${stderr}`);
    return stdout.trim();
  };

  test("each machine has a name, an id, a boot and an address of its own, none of them the host's", async () => {
    const about = async (machine: string) => [
      await inside(machine, "hostname"),
      await inside(machine, "cat", "/etc/machine-id"),
      await inside(machine, "cat", "/proc/sys/kernel/random/boot_id"),
      (await inside(machine, "ip", "-4", "-o", "addr", "show", "eth0")).split(/\s+/)[3]!,
    ];
    const [first, second] = [await about("m1"), await about("m2")];
    assert.deepEqual(
      [first, second].map((machine) => [machine[0], machine[1], machine[3]]),
      lab.machines.map(({ name, machineId, address }) => [name, machineId, `${address}/24`]),
    );
    const host = [
      readFileSync("/proc/sys/kernel/hostname", "utf8").trim(),
      existsSync("/etc/machine-id") ? readFileSync("/etc/machine-id", "utf8").trim() : "none",
      readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    ];
    for (const index of [0, 1, 2])
      assert.equal(new Set([first[index], second[index], host[index]]).size, 3, `${index}`);
  });

  test("PID 1 is systemd, and no unit of a fresh machine has failed", async () => {
    for (const machine of ["m1", "m2"]) {
      assert.equal(await inside(machine, "cat", "/proc/1/comm"), "systemd");
      assert.equal(await inside(machine, "systemctl", "list-units", "--failed", "--plain", "--no-legend"), "");
    }
  });

  test("a unit cannot change the host's kernel, only its machine's network", async () => {
    const setting = (name: string) => readFileSync(`/proc/sys/${name}`, "utf8");
    const before = ["fs/file-max", "net/ipv4/ip_local_port_range"].map(setting);
    for (const path of ["/proc/sys/fs/file-max", `/sys/class/net/lo/mtu`]) {
      const { code, stderr } = await labExec(LAB_NAME, "m1", ["sh", "-c", `echo 40000 > ${path}`]);
      assert.notEqual(code, 0, path);
      assert.match(stderr, /Read-only/);
    }
    await inside("m1", "sh", "-c", "echo 40000 50000 > /proc/sys/net/ipv4/ip_local_port_range");
    assert.deepEqual(["fs/file-max", "net/ipv4/ip_local_port_range"].map(setting), before);
  });

  test("nothing of the host's makes units in a machine, and its root cgroup is its own to divide", async () => {
    assert.equal(await inside("m1", "find", "/run/systemd", "-path", "*/generator*"), "");
    // A process here, even one the machine cannot see, would keep systemd from giving its units any controller.
    assert.equal(await inside("m1", "cat", "/sys/fs/cgroup/cgroup.procs"), "");
  });

  test("a lab that is up is not made again, and stays as it is", async () => {
    await assert.rejects(labUp(LAB), { code: "lab-exists" });
    assert.deepEqual(readLab(LAB_NAME), lab);
  });

  test("machines reach each other over their addresses, until a cable is pulled", async () => {
    const [m1, m2] = lab.machines.map((machine) => machine.address) as [string, string];
    const listener =
      "use IO::Socket; my $s = IO::Socket::INET->new(LocalPort => 9, Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { print $c $c->peerhost; close $c }";
    await inside("m2", "systemd-run", "--quiet", "--unit", "listener", "/usr/bin/perl", "-e", listener);
    const ask = () =>
      labExec(LAB_NAME, "m1", ["timeout", "1", "bash", "-c", `exec 3<>/dev/tcp/${m2}/9 && cat <&3`]).then(
        ({ code, stdout }) => code === 0 && stdout,
      );
    assert.equal(await eventually("m2 answers m1", ask), m1);
    await labCable(LAB_NAME, "m2", "down");
    assert.equal(await ask(), false);
    await labCable(LAB_NAME, "m2", "up");
    assert.equal(await eventually("m2 answers again", ask), m1);
  });

  test("what a unit writes in /etc, /var/lib, /home, /root, /tmp reaches neither the host nor the next machine", async () => {
    await eventually("the writer is done", async () => {
      const { stdout } = await labExec(LAB_NAME, "m1", ["systemctl", "is-active", "writer.service"]);
      return stdout.trim() === "active";
    });
    assert.equal(await inside("m1", "cat", ...WRITTEN), WRITTEN.map(() => "careless").join("\n"));
    await inside("m1", "touch", `/etc/${MARK}-only-m1`);
    assert.equal((await labExec(LAB_NAME, "m2", ["test", "-e", `/etc/${MARK}-only-m1`])).code, 1);
    assert.deepEqual(
      WRITTEN.filter((path) => existsSync(path)),
      [],
    );
  });

  test("a unit's journal is read by name", async () => {
    const journal = () => labExec(LAB_NAME, "m1", ["journalctl", "-q", "-o", "cat", "-u", "writer.service"]);
    await eventually("the journal has the writer's line", async () => (await journal()).stdout.includes("wrote them"));
  });

  test("a killed machine is off at once; revived it has its id and its disk, and booted anew", async () => {
    const bootId = await inside("m2", "cat", "/proc/sys/kernel/random/boot_id");
    await inside("m2", "touch", `/var/lib/${MARK}-kept`);
    await labKill(LAB_NAME, "m2");
    const alive = () => labList(LAB_NAME).map((machine) => machine.alive);
    assert.deepEqual(alive(), [true, false]);
    await assert.rejects(async () => labExec(LAB_NAME, "m2", ["true"]), { code: "machine-off" });
    await labRevive(LAB_NAME, "m2");
    assert.deepEqual(alive(), [true, true]);
    assert.equal(await inside("m2", "cat", "/etc/machine-id"), lab.machines[1]!.machineId);
    await inside("m2", "test", "-e", `/var/lib/${MARK}-kept`);
    assert.equal((await labExec(LAB_NAME, "m2", ["test", "-e", `/run/${MARK}-kept`])).code, 1);
    assert.notEqual(await inside("m2", "cat", "/proc/sys/kernel/random/boot_id"), bootId);
  });

  test("a machine of it can be host to a lab itself: systemd as PID 1, cgroup v2 alone, an overlay as root", async (context) => {
    const path = join(SOURCE, "lab.ts");
    const visible = await labExec(LAB_NAME, "m1", ["test", "-e", path, "-a", "-e", process.execPath]);
    if (visible.code !== 0) return context.skip("the repository is in a folder that machines have of their own");
    const { code, stdout, stderr } = await labExec(LAB_NAME, "m1", [
      process.execPath,
      "--input-type=module",
      "-e",
      INNER,
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { state: "running", revived: "systemd", leftovers: [] });
    assert.equal(await inside("m1", "systemctl", "is-system-running"), "running");
    assert.doesNotMatch(await inside("m1", "ls", "/sys/fs/cgroup"), /fleet-lab/);
  });

  test("down leaves no link, namespace, mount, cgroup, process or file", async () => {
    const now = readLab(LAB_NAME)!;
    const pids = [...now.processes, ...now.machines.flatMap(({ init, outer }) => [init, outer])].map(
      (process) => process!.pid,
    );
    const seen = async () => ({
      links: (await mustRun(["ip", "-o", "link", "show"])).split("\n").filter((line) => line.includes(now.bridge))
        .length,
      namespaces: (await mustRun(["ip", "netns", "list"])).match(new RegExp(`fleet-${LAB_NAME}-`, "g"))?.length ?? 0,
      mounts:
        readFileSync("/proc/self/mountinfo", "utf8").match(new RegExp(`fleet-lab[/-]${LAB_NAME}`, "g"))?.length ?? 0,
      cgroups: now.machines.filter(({ name }) => existsSync(cgroupFolder(LAB_NAME, name))).length,
      processes: pids.filter((pid) => startTimeOf(pid) !== null).length,
      inItsCgroups: processesWithCgroup(now),
      folder: existsSync(labFolder(LAB_NAME)),
    });
    const up = await seen();
    assert.deepEqual(
      Object.entries(up).filter(([, found]) => found === 0 || found === false),
      [],
      "the test sees what it counts",
    );
    assert.deepEqual(await labDown(LAB_NAME), []);
    assert.deepEqual(await seen(), {
      links: 0,
      namespaces: 0,
      mounts: 0,
      cgroups: 0,
      processes: 0,
      inItsCgroups: 0,
      folder: false,
    });
  });

  test("down, from another process, finds all that an up left which was killed half way", async () => {
    const argv = [process.execPath, "--input-type=module", "--eval", KILLED_HALF_WAY];
    assert.equal((await runProgram(argv)).code, 128, "it ended by the signal");
    const left = readLab(LAB_NAME)!;
    assert.deepEqual(
      left.machines.map(({ init }) => init),
      [null, null],
    );
    assert.ok(processesWithCgroup(left) > 1);
    assert.deepEqual(await labDown(LAB_NAME), []);
    assert.equal(processesWithCgroup(left), 0);
    assert.equal(existsSync(labFolder(LAB_NAME)), false);
    assert.equal((await mustRun(["ip", "-o", "link", "show"])).includes(left.bridge), false);
  });
});

/** Processes anywhere on the host that are in a cgroup of the lab, however they got there. */
function processesWithCgroup(lab: LabState): number {
  const folders = [HOST, ...lab.machines.map(({ name }) => name)].map((name) => cgroupFolder(lab.name, name));
  const ends = folders.map((folder) => `/${basename(folder)}`);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const cgroup = readFileSync(`/proc/${pid}/cgroup`, "utf8");
        return ends.some((end) => cgroup.includes(end)) && startTimeOf(Number(pid)) !== null;
      } catch {
        return false; // Ended between the two looks.
      }
    }).length;
}
