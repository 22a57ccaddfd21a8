import assert from "node:assert/strict";
import { test } from "node:test";
import { sshSigner } from "../../test/ssh-signer.ts";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import type { CommitId, SpecHash } from "../domain/names.ts";
import { acceptBase } from "./accept-base.ts";

const ALICE = sshSigner("alice");
const files = (text: string) => ({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\ntrust: { signers: signers }\n",
  signers: `${ALICE.line}\n`,
  "units/a.service": text,
});

test("what a rollout goes back to is judged, too: whoever writes the registry cannot name a commit nobody signed", async () => {
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const { sign } = ALICE;
  const floor = repository.push("main", files("one"), "one", { sign });
  const good = repository.push("main", files("two"), "two", { sign });
  const side = repository.commit(files("side"), { parents: [floor], subject: "side" });
  const release = repository.push("main", files("side"), "merge", { parents: [good, side], sign });
  const trust = trustOf(source);
  const taken = async (commit: CommitId, from: CommitId | null, judge: typeof trust | null = trust) => {
    const base = { seq: 1, commit, specHash: "" as SpecHash };
    const compile = async () => ({ spec: commit });
    return (await acceptBase(base, { commit: release }, from, source, compile, { trust: judge })).kind;
  };
  assert.equal(await taken(good, floor), "accept");
  assert.equal(await taken(floor, floor), "accept");
  assert.equal(await taken(side, floor), "refuse", "though it led to the release");
  assert.equal(await taken(side, null), "refuse", "also where no release is known to have ended well");
  assert.equal(await taken(side, floor, null), "accept", "an engine runs nothing of it");
  const fresh = new MemoryGitSource(repository, "main");
  fresh.down = true;
  const base = { seq: 1, commit: good, specHash: "" as SpecHash };
  const unread = await acceptBase(base, { commit: release }, floor, fresh, async () => ({ spec: 1 }), { trust });
  assert.equal(unread.kind, "unreadable");
});
