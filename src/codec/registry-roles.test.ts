import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../domain/names.ts";
import { machineScope } from "./machine-scope.ts";
import { type RegistryKeys, registryKeys } from "./registry-keys.ts";
import { agentGrants, isGranted, type RegistryGrant, roleGrants } from "./registry-roles.ts";

const keys = registryKeys("prod");
const ME = "1".repeat(32) as MachineId;
const OTHER = "2".repeat(32) as MachineId;
const WEB = "web.service" as UnitName;
const may = (grants: readonly RegistryGrant[], access: "read" | "write", ...some: readonly string[]) =>
  some.filter((key) => isGranted(grants, access, { key, reach: "key" }));
const ROLES = {
  engine: roleGrants(keys, "engine"),
  driver: roleGrants(keys, "driver"),
  operator: roleGrants(keys, "operator"),
  reader: roleGrants(keys, "reader"),
  restorer: roleGrants(keys, "restorer"),
  agent: agentGrants(keys, ME),
};

/** What each kind of key is for, said once in `RegistryKeys`: a new one must find its writer here. */
const EVERY_KEY = Object.keys(keys)
  .filter((name) => name !== "root")
  .map((name) => {
    const made = keys[name as keyof RegistryKeys] as string | ((...words: string[]) => string);
    return [name, typeof made === "string" ? made : made(ME, WEB)] as const;
  });

test("every key has somebody who may write it, and a restore writes all of them", () => {
  const { restorer, ...others } = ROLES;
  const nobodys = EVERY_KEY.filter(([, key]) => Object.values(others).every((grants) => !writesIn(grants, key)));
  assert.deepEqual(
    nobodys.map(([name]) => name),
    ["importing"],
    "only an import writes the mark of an import",
  );
  for (const [name, key] of EVERY_KEY) assert.ok(writesIn(restorer, key), name);
});

/** A key, or what stands under it where it is the beginning of some. */
function writesIn(grants: readonly RegistryGrant[], key: string): boolean {
  const reach = key.endsWith("/") ? "prefix" : "key";
  const inside = grants.some((grant) => grant.access === "write" && key.endsWith("/") && grant.key.startsWith(key));
  return inside || isGranted(grants, "write", { key, reach });
}

test("whoever decides reads the whole cluster, and nobody reads beside it", () => {
  for (const role of ["engine", "driver", "operator", "reader", "restorer"] as const) {
    assert.ok(isGranted(ROLES[role], "read", { key: keys.root, reach: "prefix" }), role);
    assert.ok(!isGranted(ROLES[role], "read", { key: "/fleet/", reach: "prefix" }), role);
    assert.deepEqual(may(ROLES[role], "read", "/fleet/production/release", "/fleet/prod"), [], role);
  }
});

test("releases come from drivers, placements from engines, and readers write nothing", () => {
  const release = [keys.cluster, keys.release, keys.releaseAt(7), keys.specChunk("s", 0), keys.planChunk("p", 0)];
  const placing = [keys.leader, keys.term, keys.assign(WEB), keys.set(ME), keys.placement(ME, WEB), keys.grant(ME)];
  assert.deepEqual(may(ROLES.driver, "write", ...release, ...placing), release);
  assert.deepEqual(may(ROLES.engine, "write", ...release, ...placing), placing);
  assert.deepEqual(
    ROLES.reader.filter(({ access }) => access === "write"),
    [],
  );
  assert.deepEqual(may(ROLES.operator, "write", ...release, keys.leader, keys.term, keys.report), []);
});

test("an agent reads what it is to run and writes what it alone has to say", () => {
  const own = [keys.member(ME), keys.presence(ME), keys.claim(ME, "boot"), keys.status(ME, WEB), keys.kept(ME)];
  const others = [keys.member(OTHER), keys.presence(OTHER), keys.status(OTHER, WEB), keys.set(OTHER), keys.kept(OTHER)];
  assert.deepEqual(may(ROLES.agent, "write", ...own, ...others, keys.set(ME), keys.release, keys.grant(ME)), own);
  assert.deepEqual(may(ROLES.agent, "read", ...others, keys.assign(WEB), keys.planChunk("p", 0)), []);
  assert.deepEqual(may(ROLES.agent, "write", keys.lock("reboot", ME), keys.lock("reboot", OTHER)), [
    keys.lock("reboot", ME),
  ]);
});

test("an agent sees the same whether it dials etcd itself or goes through an engine", () => {
  const scope = machineScope(keys, ME);
  for (const [name, key] of [
    ...EVERY_KEY,
    ["another's set", keys.set(OTHER)],
    ["another's member", keys.member(OTHER)],
  ]) {
    for (const reach of ["key", "prefix"] as const) {
      assert.equal(scope.mayRead(key!, reach === "key"), isGranted(ROLES.agent, "read", { key: key!, reach }), name);
    }
  }
});
