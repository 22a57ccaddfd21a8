import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { approvalRemote } from "./approval-remote.ts";

const CASES: readonly [string, string, string][] = [
  ["a cluster that reads a path of whoever asks is where they stand", "", "."],
  ["a source", "https://git.example/infra.git", "https://git.example/infra.git"],
  ["git pushes to one address: the first of several", "https://a.example/x,https://b.example/x", "https://a.example/x"],
];
for (const [says, source, remote] of CASES) {
  test(says, async () => assert.equal(await approvalRemote(tmpdir(), source), remote));
}
