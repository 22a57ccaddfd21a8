import assert from "node:assert/strict";
import { test } from "node:test";
import { sshSigner } from "../../test/ssh-signer.ts";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import type { CommitId } from "../domain/names.ts";
import { warnUntrusted } from "./warn-untrusted.ts";

const ALICE = sshSigner("alice");
const HEAD = "apiVersion: fleet/v1\ncluster: prod\n";
const trusted = { "fleet.yaml": `${HEAD}trust: { signers: signers }\n`, signers: `${ALICE.line}\n` };
const silent = { "fleet.yaml": HEAD };

function world() {
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const warned = async (released: CommitId | null, commit: CommitId) =>
    (await warnUntrusted(source, trustOf(source), released, commit)).map(({ code, severity }) => `${severity} ${code}`);
  return { repository, source, warned };
}

test("a plan of what machines would not take says so, and of what they would says nothing", async () => {
  const { repository, warned } = world();
  const { sign } = ALICE;
  const released = repository.push("main", trusted, "one", { sign });
  const signed = repository.commit({ ...trusted, a: "2" }, { parents: [released], sign });
  const unsigned = repository.commit({ ...trusted, a: "3" }, { parents: [released] });
  const without = repository.commit(silent, { parents: [released] });
  assert.deepEqual(await warned(released, signed), []);
  assert.deepEqual(await warned(released, unsigned), ["warning commit-untrusted"]);
  assert.deepEqual(await warned(released, without), ["warning commit-untrusted"], "also of the end of trust");
  assert.deepEqual(await warned(null, unsigned), ["warning commit-untrusted"], "also where nothing is released");
});

test("nothing is said where it is not known, and without trust history is not gone through", async () => {
  const { repository, source, warned } = world();
  const released = repository.push("main", silent);
  const commit = repository.push("main", { ...silent, a: "2" });
  source.isAncestor = () => assert.fail("it was asked for");
  assert.deepEqual(await warned(released, commit), []);
  const other = world();
  const unsigned = other.repository.commit({ ...trusted, a: "2" });
  assert.deepEqual(await other.warned("f".repeat(40) as CommitId, unsigned), [], "a release of another repository");
  const elsewhere = other.repository.commit(trusted, { sign: ALICE.sign });
  assert.deepEqual(await other.warned(elsewhere, unsigned), [], "a commit that is not on top of it");
});
