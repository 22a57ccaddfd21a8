import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { encodeBootSet } from "../../src/codec/boot-set.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { runProgram } from "../../src/lab/run-program.ts";

const SCRIPT = join(import.meta.dirname, "../../packaging/systemd/fleet-restore");

let folder: string;
const at = (path: string) => join(folder, path);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fleet-restore-"));
  for (const path of ["bin", "run", "units"]) mkdirSync(at(path));
  // Writes down what it is told; whether the agent runs is said by a file.
  writeFileSync(
    at("bin/systemctl"),
    `#!/bin/sh\ncase "$*" in *is-active*) [ -e ${at("active")} ]; exit ;; esac\necho "$*" >> ${at("told")}\n`,
  );
  chmodSync(at("bin/systemctl"), 0o755);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const restore = () =>
  runProgram(
    [
      "env",
      `PATH=${at("bin")}:/usr/bin:/bin`,
      `FLEET_BOOT_SET=${at("boot-set")}`,
      `FLEET_AGENT_RUN=${at("run")}`,
      "FLEET_RESTORE_AFTER=0",
      SCRIPT,
    ],
    { timeoutMs: 20_000 },
  );

const told = () => (existsSync(at("told")) ? readFileSync(at("told"), "utf8") : "");

function keep(files: Readonly<Record<string, string>>, start: readonly string[]): void {
  const texts = Object.entries(files).map(([path, text]) => ({ path: at(path), text }));
  writeFileSync(at("boot-set"), encodeBootSet({ files: texts, start: start as readonly UnitName[] }));
}

const TEXTS: Readonly<Record<string, string>> = {
  "units/plain.service": "[Service]\nExecStart=/bin/true\n",
  "units/odd.service": '# \\n $HOME `x` "%s"\n\n  indented\t\n|bar\nend\nstart evil.service\nfile /tmp/evil\n\\',
  "units/empty.service": "",
  "units/odd.service.d/10-a b.conf": "\n\n",
};

test("copies every text byte by byte, reloads once, and starts in the order of the list", async () => {
  keep(TEXTS, ["zzz-fleet.service", "aaa-fleet@1.service"]);
  const { code, stdout, stderr } = await restore();
  assert.equal(code, 0, stderr);
  for (const [path, text] of Object.entries(TEXTS)) assert.equal(readFileSync(at(path), "utf8"), text, path);
  assert.equal(told(), "daemon-reload\nstart --no-block -- zzz-fleet.service aaa-fleet@1.service\n");
  assert.match(stdout, /restored: 4 files copied, 0 there already, 2 units started, 0 failures/);
});

test("leaves a file that is there as it is", async () => {
  keep(TEXTS, []);
  writeFileSync(at("units/plain.service"), "newer");
  const { stdout } = await restore();
  assert.equal(readFileSync(at("units/plain.service"), "utf8"), "newer");
  assert.match(stdout, /3 files copied, 1 there already/);
});

test("does nothing where the agent is ready, or is at work in a long first pass", async () => {
  keep(TEXTS, ["a.service"]);
  writeFileSync(at("run/ready"), "");
  assert.equal((await restore()).code, 0);
  rmSync(at("run/ready"));
  writeFileSync(at("run/owned.json"), "{}");
  writeFileSync(at("active"), "");
  assert.equal((await restore()).code, 0);
  assert.equal(told(), "");
  assert.ok(!existsSync(at("units/plain.service")));
});

test("an agent that died in its first pass does not keep it from starting", async () => {
  keep(TEXTS, ["a.service"]);
  writeFileSync(at("run/owned.json"), "{}");
  assert.equal((await restore()).code, 0);
  assert.match(told(), /start --no-block -- a\.service/);
});

test("a set that is not whole is refused, and none is no error", async () => {
  assert.equal((await restore()).code, 0);
  keep(TEXTS, ["a.service"]);
  writeFileSync(at("boot-set"), readFileSync(at("boot-set"), "utf8").slice(0, -4));
  const { code, stderr } = await restore();
  assert.equal(code, 1);
  assert.match(stderr, /not whole/);
  assert.equal(told(), "");
});

test("a file that cannot be written is said, and keeps no other one from its place", async () => {
  writeFileSync(at("blocker"), "");
  keep({ "blocker/x.service": "x\n", ...TEXTS }, ["a.service"]);
  const { code, stdout } = await restore();
  assert.equal(code, 1);
  assert.match(stdout, /4 files copied, 0 there already, 1 units started, 1 failures/);
});
