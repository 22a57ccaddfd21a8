import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdctlScript, type NamedRole, rolesTable } from "./registry-roles-text.ts";

const role = (grants: NamedRole["grants"]): NamedRole => ({ name: "fleet-prod-reader", role: "reader", grants });
const grant = (access: "read" | "write", key: string, reach: "key" | "prefix") => ({ access, key, reach, why: "why" });
const lines = (grants: NamedRole["grants"]) =>
  etcdctlScript("prod", [role(grants)])
    .split("\n")
    .filter((line) => line.startsWith("grant "));

test("one range has one permission, since in etcd the second replaces the first", () => {
  const own = [grant("read", "/fleet/prod/a", "prefix"), grant("write", "/fleet/prod/a", "prefix")];
  assert.deepEqual(lines(own), ["grant fleet-prod-reader readwrite /fleet/prod/a --prefix=true # why"]);
  const [read, write] = [grant("read", "/fleet/prod/a", "prefix"), grant("write", "/fleet/prod/a", "key")];
  assert.deepEqual(lines([read, write]), [
    "grant fleet-prod-reader read /fleet/prod/a --prefix=true # why",
    "grant fleet-prod-reader write /fleet/prod/a # why",
  ]);
});

test("no word of it is anything else to a shell", () => {
  assert.deepEqual(lines([grant("read", "/fleet/$(reboot)'/", "key")]), [
    "grant fleet-prod-reader read '/fleet/$(reboot)'\\''/' # why",
  ]);
});

test("a script adds roles, users and what they have, and turns nothing on", () => {
  const script = etcdctlScript("prod", [role([grant("read", "/fleet/prod/", "prefix")])]);
  const commands = script.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(commands.slice(4), [
    "role fleet-prod-reader",
    "grant fleet-prod-reader read /fleet/prod/ --prefix=true # why",
    "user fleet-prod-reader",
    "etcdctl user grant-role fleet-prod-reader fleet-prod-reader",
  ]);
  assert.match(script, /^# {3}role root; user root; .*etcdctl auth enable$/m);
});

test("the table says who may do what, line by line", () => {
  const grants = [grant("read", "/fleet/prod/", "prefix"), grant("write", "/fleet/prod/release", "key")];
  assert.equal(
    rolesTable([role(grants)]),
    [
      "fleet-prod-reader: fleet plan and everything that only looks, in CI on a pull request or a screen on the wall",
      "  read       /fleet/prod/*        why",
      "  write      /fleet/prod/release  why",
    ].join("\n"),
  );
});
