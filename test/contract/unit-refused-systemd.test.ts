import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { MemoryGitSource, MemoryRepository } from "../../src/adapters/memory/memory-git-source.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import { commitCompiler } from "../../src/usecases/compile-commit.ts";
import fc from "../property/fast-check.ts";

const ANALYZE = "systemd-analyze";
const skip = spawnSync(ANALYZE, ["--version"]).status === 0 ? false : "systemd-analyze is not on this machine";

/** Some of those lines, in their order. */
const some = (...lines: readonly string[]) =>
  fc.subarray([...lines]).map((chosen) => chosen.map((one) => `${one}\n`).join(""));

const service = fc
  .tuple(
    some("SuccessAction=none", "SuccessAction=reboot"),
    some("Type=simple", "Type=oneshot", "Type=forking", "Type=dbus", "BusName=org.example.A", "PIDFile=/run/a.pid"),
    some("Restart=always", "Restart=no", "Restart=on-success", "Restart=on-failure", "RemainAfterExit=yes"),
    some(
      "ExecStart=/bin/true",
      "ExecStart=true",
      "ExecStart=-bin/true",
      "ExecStart=",
      "ExecStart=@/bin/true a",
      "ExecStop=/bin/true",
    ),
  )
  .map(([unit, ...own]) => ["service", `[Unit]\n${unit}[Service]\n${own.join("")}`] as const);
const timer = some(
  "Persistent=yes",
  "OnCalendar=daily",
  "OnBootSec=5",
  "OnUnitInactiveSec=5",
  "OnClockChange=no",
  "OnClockChange=yes",
  "OnCalendar=",
).map((own) => ["timer", `[Unit]\nDescription=a\n[Timer]\n${own}`] as const);
const socket = some("Accept=no", "ListenStream=9", "ListenFIFO=/run/a", "ListenStream=", "ListenDatagram=").map(
  (own) => ["socket", `[Socket]\n${own}`] as const,
);
const path = some("MakeDirectory=yes", "PathExists=/a", "DirectoryNotEmpty=/a", "PathModified=", "PathChanged=/b").map(
  (own) => ["path", `[Path]\n${own}`] as const,
);
const UNITS = 800;

/** What a timer, socket or path activates, so that none is refused for lack of it. */
const PARTNER = "[Service]\nExecStart=/bin/true\n";

/** Names of units systemd will not load. */
function systemdRefuses(files: ReadonlyMap<string, string>): Set<string> {
  const folder = mkdtempSync(join(tmpdir(), "fleet-refused-"));
  try {
    for (const [name, text] of files) writeFileSync(join(folder, name), text);
    const paths = [...files.keys()].map((name) => join(folder, name));
    const { stderr } = spawnSync(ANALYZE, ["verify", "--man=no", ...paths], { encoding: "utf8", timeout: 60_000 });
    return new Set([...stderr.matchAll(/^Unit (\S+) has a bad unit file setting/gm)].map(([, name]) => name!));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function weRefuse(files: ReadonlyMap<string, string>): Promise<Set<string>> {
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const commit = repository.push("main", {
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: test\n",
    ...Object.fromEntries([...files].map(([name, text]) => [`units/${name}`, text])),
  });
  const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256, lint: true });
  const { diagnostics } = await compile(commit);
  return new Set(
    diagnostics.flatMap(({ code, at }) => (code === "unit-refused" ? [at!.path.slice("units/".length)] : [])),
  );
}

describe("units systemd refuses to load", { skip }, () => {
  test("are those we call so, no more and no less", async () => {
    const drawn = fc.sample(fc.oneof({ weight: 5, arbitrary: service }, timer, socket, path), {
      numRuns: UNITS,
      seed: 3,
    });
    const files = new Map(
      drawn.flatMap(([type, text], index) => [
        // Two of one bus name would be refused for that.
        [`u${index}.${type}`, text.replace("org.example.A", `org.example.u${index}`)] as const,
        ...(type === "service" ? [] : [[`u${index}.service`, PARTNER] as const]),
      ]),
    );
    const [theirs, ours] = [systemdRefuses(files), await weRefuse(files)];
    assert.ok(theirs.size > UNITS / 10 && theirs.size < (UNITS * 9) / 10, `${theirs.size} are refused`);
    for (const [name, text] of files) {
      assert.equal(ours.has(name), theirs.has(name), `${name}, systemd refuses it: ${theirs.has(name)}\n${text}`);
    }
  });
});
