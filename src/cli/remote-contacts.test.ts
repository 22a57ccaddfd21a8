import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemote } from "./remote-contacts.ts";

const CASES: readonly (readonly [string, boolean])[] = [
  ["unix:/run/fleet/registry.sock", false],
  ["/srv/repo.git", false],
  ["file:///srv/repo.git", false],
  ["etcd://127.0.0.1:2379", false],
  ["etcd://localhost", false],
  ["etcd://[::1]:2379", false],
  ["http://user:secret@127.0.0.1:3000/repo.git", false],
  ["etcd://127.0.0.1:2379,10.0.0.2:2379", true],
  ["etcds://h1,h2", true],
  ["etcd://[fd00::1]:2379", true],
  ["hub://nas.lan", true],
  ["hub://127.0.0.1:7440", false],
  ["hub://127.0.0.1,nas.lan:7440", true],
  ["hub:/run/fleet-hub/agent-1.sock", false],
  ["https://git.example.org/me/repo.git", true],
  ["http://127.0.0.1.example.org/repo.git", true],
];
for (const [address, expected] of CASES) {
  test(`${address} is ${expected ? "" : "not "}on another machine`, () => assert.equal(isRemote(address), expected));
}
