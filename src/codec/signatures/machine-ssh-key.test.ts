import assert from "node:assert/strict";
import test from "node:test";
import { parseNodeKey } from "../../domain/identity/node-key.ts";
import { recipientTag, sshLineOf } from "./machine-ssh-key.ts";

/** `ssh-keygen -t ed25519`; its tag is what age 1.1.1 wrote into a file encrypted to that line. */
const LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHaMRaQWBeDdJ///q/PgUaTWJgCmyGKYlP8ndBeA9ybr";
const KEY = parseNodeKey("ed25519:doxFpBYF4N0n__-r8-BRpNYmAKbIYpiU_yd0F4D3Jus")!;

test("a machine's key is the same key as OpenSSH has it", () => {
  assert.equal(sshLineOf(KEY), LINE);
});

test("its tag is the one age writes", () => {
  assert.equal(recipientTag(KEY), "FM60fg");
});
