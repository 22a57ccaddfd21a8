import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fleet } from "./fleet-process.ts";
import { type OneWebUnit, oneWebUnit } from "./one-web-unit.ts";

const MACHINE = "1".repeat(32);
const skip = spawnSync("ssh-keygen", ["-?"]).error === undefined ? false : "no ssh-keygen here";

let world: OneWebUnit;
let keys: string;
before(async () => {
  if (skip !== false) return;
  world = await oneWebUnit(MACHINE);
  keys = mkdtempSync(join(tmpdir(), "fleet-keys-"));
  for (const name of ["ada", "eve"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(keys, name)]);
});
after(async () => {
  if (skip !== false) return;
  await world.end();
  rmSync(keys, { recursive: true });
});

/** Changes the unit and commits, signed by that person's key or not at all. */
function commit(text: string, by: "ada" | "eve" | null): void {
  const { repository } = world;
  repository.git(["config", "commit.gpgsign", by === null ? "false" : "true"]);
  repository.git(["config", "user.signingkey", join(keys, by ?? "ada")]);
  repository.commit({ "units/web.service": `[Service]\nExecStart=/bin/echo ${text}\n` }, `say ${text}`);
}

test("trust begins with a signed commit, and from then on nothing unsigned is applied", { skip }, async () => {
  const { repository, options } = world;
  const unset = await fleet(["trust", "init"], options);
  assert.equal(unset.code, 1);
  assert.match(unset.stderr, /git has no signing key here|git does not know your e-mail/);

  repository.git(["config", "user.email", "ada@example.org"]);
  repository.git(["config", "gpg.format", "ssh"]);
  repository.git(["config", "user.signingkey", join(keys, "ada.pub")]);
  const written = await fleet(["trust", "init"], options);
  assert.equal(written.code, 0, written.stderr);
  assert.match(written.stdout, /^\+trust: \{ mode: range, signers: trust\/allowed_signers \}$/m);
  assert.match(written.stdout, /^\+ada@example\.org namespaces="git" ssh-ed25519 AAAA/m);
  assert.match(written.stderr, /next: git add fleet\.yaml trust\/allowed_signers && git commit -S/);
  assert.match(readFileSync(join(repository.path, "trust/allowed_signers"), "utf8"), /^ada@example\.org /);

  const before = await fleet(["apply", "--auto-approve", "--detach"], options);
  assert.equal(before.code, 0, "what was committed before is applied as ever");
  commit("one", null);
  const locked = await fleet(["apply", "--auto-approve", "--detach"], options);
  assert.equal(locked.code, 1);
  assert.match(locked.stderr, /machines would not take this: commit [0-9a-f]{12} is not signed/, "as the plan says");
  assert.match(locked.stderr, /is not signed \[untrusted\]/, "and nothing is written");

  commit("two", "ada");
  const taken = await fleet(["apply", "--auto-approve", "--detach"], options);
  assert.equal(taken.code, 0, taken.stderr);
  assert.doesNotMatch(taken.stderr, /machines would not take/);

  commit("three", "eve");
  const checked = await fleet(["trust", "check", "--last", "3"], options);
  assert.equal(checked.code, 1, "the mode in force refuses one of them");
  const rows = checked.stdout.split("\n").slice(0, 4);
  assert.match(rows[0]!, /^COMMIT +SIGNED BY +HEAD +RANGE +STRICT +SUBJECT$/);
  assert.match(rows[1]!, /^\w{8} +- +unknown-signer +unknown-signer +unknown-signer +say three$/);
  assert.match(rows[2]!, /^\w{8} +ada@example\.org +ok +ok +ok +say two$/);
  assert.match(rows[3]!, /^\w{8} +- +unsigned +unsigned +unsigned +say one$/);
  assert.match(checked.stdout, /^range: 2 of 3 refused$/m);
  assert.match(checked.stdout, /^in force here: range$/m);
  assert.match(checked.stdout, /is signed with a key that may not sign, SHA256:\S+$/m);
});

test("a file of signers that cannot be read is told with its line before anything is trusted", { skip }, async () => {
  const { repository, options } = world;
  repository.git(["config", "commit.gpgsign", "false"]);
  repository.commit({ "trust/allowed_signers": "ada@example.org ssh-ed25519 AAAA\n" }, "break it");
  const validated = await fleet(["validate"], options);
  assert.equal(validated.code, 1);
  assert.match(validated.stderr, /trust\/allowed_signers:1:17/);
  assert.match(validated.stderr, /signers-key/);
});

test("an order to go back names a whole commit and a reason, or is none", async () => {
  const { options } = world;
  const commit = "a".repeat(40);
  const [half, silent, empty] = await Promise.all([
    fleet(["trust", "rewind", "main", "--why", "a mistake"], options),
    fleet(["trust", "rewind", commit], options),
    fleet(["trust", "rewind", commit, "--why", " "], options),
  ]);
  assert.match(half.stderr, /main is no whole id of a commit \[bad-commit\]/);
  for (const { code, stderr } of [silent, empty]) {
    assert.equal(code, 1);
    assert.match(stderr, /needs a reason, which everybody sees \[no-reason\]/);
  }
});
