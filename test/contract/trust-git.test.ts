/** Trust against what git itself makes and says; rows 78 and 86 of the faults. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openLocalGitSource } from "../../src/adapters/git/local-git-source.ts";
import type { CommitId } from "../../src/domain/names.ts";
import { checkTrust } from "../../src/usecases/check-trust.ts";
import { trustOf } from "../trust-of.ts";
import { makeTestRepository } from "./git-repository.ts";

const skip = spawnSync("ssh-keygen", ["-?"]).error === undefined ? false : "no ssh-keygen here";
const TRUST = "apiVersion: fleet/v1\ncluster: prod\ntrust: { signers: trust/signers }\n";

test("row 78 and 86: what git signs, merges and pulls is judged as git and ssh-keygen see it, and nothing beside the objects counts", {
  skip,
}, async () => {
  const keys = mkdtempSync(join(tmpdir(), "fleet-keys-"));
  const repository = makeTestRepository();
  const source = openLocalGitSource(repository.path, "main");
  try {
    for (const name of ["ada", "bob", "eve"])
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(keys, name)]);
    const line = (name: string) =>
      `${name} namespaces="git" ${readFileSync(join(keys, `${name}.pub`), "utf8").trim()}\n`;
    const signers = `${line("ada")}${line("bob")}`;
    writeFileSync(join(keys, "allowed"), signers);
    const git = (...words: string[]) => repository.git(words);
    git("config", "gpg.format", "ssh");
    git("config", "gpg.ssh.allowedSignersFile", join(keys, "allowed"));
    const as = (name: string | null) => {
      git("config", "commit.gpgsign", name === null ? "false" : "true");
      git("config", "user.signingkey", join(keys, name ?? "ada"));
    };
    const write = (name: string | null, text: string) => {
      as(name);
      return repository.commit({ "units/a.service": text }, text) as CommitId;
    };
    as("ada");
    const base = repository.commit({ "fleet.yaml": TRUST, "trust/signers": signers }, "base") as CommitId;
    git("switch", "--quiet", "--create", "branch");
    write("bob", "signed on a branch");
    const unsigned = write(null, "unsigned on a branch");
    git("switch", "--quiet", "main");
    as("ada");
    git("merge", "--quiet", "--no-ff", "--message", "merge", "branch");
    const merged = git("rev-parse", "HEAD") as CommitId;
    const verdict = async (from: CommitId, to: string) => {
      const judged = await trustOf(source).judge(from, to as CommitId);
      return judged.kind === "refused" ? `${judged.reason.code} ${judged.commit}` : judged.kind;
    };
    assert.equal(await verdict(base, merged), "accepted", "the merge vouches for its branch");

    // An ordinary pull: what was local becomes the first parent, and the branch the second.
    const local = repository.git(["commit-tree", `${merged}^{tree}`, "-p", unsigned, "-p", base, "-S", "-m", "pull"]);
    assert.equal(await verdict(base, local), `unsigned ${unsigned}`);

    write("bob", "two");
    const foreign = write("eve", "of somebody else");
    const last = write("ada", "three");
    assert.equal(await verdict(merged, last), `unknown-signer ${foreign}`);
    const { commits } = await checkTrust({ source, judge: trustOf(source), tip: last, last: 50, signers: null });
    assert.deepEqual(
      commits.map(({ described }) => described.commit as string),
      git("rev-list", "--first-parent", "HEAD").split("\n"),
    );
    for (const { described, refused } of commits) {
      const theirs = spawnSync("git", ["verify-commit", described.commit], { cwd: repository.path }).status === 0;
      assert.equal(refused.head === null, theirs, described.subject);
    }

    // git would show another commit in the bad one's place, or other parents; machines read what was pushed.
    git("replace", foreign, merged);
    mkdirSync(join(repository.path, ".git/info"), { recursive: true });
    writeFileSync(join(repository.path, ".git/info/grafts"), `${last} ${merged}\n`);
    assert.equal(await verdict(merged, last), `unknown-signer ${foreign}`);
  } finally {
    await source.close();
    repository.remove();
    rmSync(keys, { recursive: true });
  }
});
