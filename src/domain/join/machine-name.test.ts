import assert from "node:assert/strict";
import { test } from "node:test";
import { nameOfHost, parseMachineName } from "./machine-name.ts";

const hosts: readonly (readonly [what: string, host: string, name: string | null])[] = [
  ["a plain one stays", "nas", "nas"],
  ["a whole domain name stays", "nas.home.lan", "nas.home.lan"],
  ["capitals are lowered", "Nas-1", "nas-1"],
  ["what has no place in a name becomes a dash", "my_pi (old)", "my-pi-old"],
  ["it begins and ends with a letter or a digit", "-.nas-.", "nas"],
  ["63 characters are the most, and none of them a dash at the end", `${"a".repeat(62)}-b`, "a".repeat(62)],
  ["nothing is no name", "", null],
  ["nor is what has no letter at all", "___", null],
];

for (const [what, host, name] of hosts) test(`host name: ${what}`, () => assert.equal(nameOfHost(host), name));

test("a name that is given is taken as it is, or not at all", () => {
  assert.equal(parseMachineName("site-0123"), "site-0123");
  for (const bad of ["", "Nas", "a b", "-a", "a-", "a".repeat(64), "a\nb"]) assert.equal(parseMachineName(bad), null);
});
