import assert from "node:assert/strict";
import { test } from "node:test";
import { type JoinTarget, readJoinTarget } from "./join-target.ts";

const engines = (address: string): JoinTarget => ({ kind: "engines", address });
const source = (url: string, ssh = false): JoinTarget => ({ kind: "source", url, ssh });

const cases: readonly (readonly [text: string, target: JoinTarget])[] = [
  ["nas", engines("hub://nas")],
  ["nas.lan:7441", engines("hub://nas.lan:7441")],
  ["nas.lan,hub-2:7441,[fe80::1]:7440", engines("hub://nas.lan,hub-2:7441,[fe80::1]:7440")],
  ["192.0.2.1", engines("hub://192.0.2.1")],
  ["hub://nas", engines("hub://nas")],
  ["https://host/me/homelab.git", source("https://host/me/homelab.git")],
  ["file:///srv/git", source("file:///srv/git")],
  ["/srv/git/homelab", source("/srv/git/homelab")],
  ["./homelab", source("./homelab")],
  [".", source(".")],
  ["..", source("..")],
  ["git@host:me/homelab", source("git@host:me/homelab", true)],
  ["host:me/homelab", source("host:me/homelab", true)],
  ["host:homelab", source("host:homelab", true)],
  ["ssh://git@host:2222/me/homelab", source("ssh://git@host:2222/me/homelab", true)],
];

for (const [text, target] of cases) test(`join ${text}`, () => assert.deepEqual(readJoinTarget(text), target));
