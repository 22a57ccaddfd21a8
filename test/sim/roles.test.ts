/** Daemons under the roles they would have in etcd, and agents within the scope of a front: whatever happens, none of them asks for more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { machineScope } from "../../src/codec/machine-scope.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import { agentGrants, type RegistryGrant, roleGrants } from "../../src/codec/registry-roles.ts";
import type { Defects } from "../../src/sim/sim-machine.ts";
import { roleRegistry } from "../role-registry.ts";
import { scopedRegistry } from "../scoped-registry.ts";
import { RebootFleet } from "./reboot-fleet.ts";
import { runSeed } from "./run-seed.ts";

const keys = registryKeys("sim");
/** Between them: losses, moves, rollouts that go back, a registry that is wiped and adopted. */
const SEEDS = [2, 9, 60];

/** Everybody under a role, and what was refused. */
function underRoles(without: (grant: RegistryGrant) => boolean = () => false): {
  refused: Set<string>;
  roles: Defects;
} {
  const refused = new Set<string>();
  const left = (grants: readonly RegistryGrant[]) => grants.filter((grant) => !without(grant));
  const roles: Defects = {
    agentRegistry: (inner, machine) => {
      const tell = (whom: string) => (what: string) =>
        void refused.add(`${whom}: ${what.replaceAll(machine, "<machine>")}`);
      const asRole = roleRegistry(inner, left(agentGrants(keys, machine)), tell("agent"));
      return scopedRegistry(asRole, machineScope(keys, machine), tell("agent through a front"));
    },
    engineRegistry: (inner) =>
      roleRegistry(inner, left(roleGrants(keys, "engine")), (what) => refused.add(`engine: ${what}`)),
  };
  return { refused, roles };
}

for (const seed of SEEDS) {
  test(`seed ${seed}: engines and agents do within their roles all they do`, async () => {
    const { refused, roles } = underRoles();
    const { violations } = await runSeed(seed, roles);
    assert.deepEqual([...refused], []);
    assert.deepEqual(violations, []);
  });
}

test("machines restart one after the other within their roles", async () => {
  const { refused, roles } = underRoles();
  const fleet = new RebootFleet({ seed: 1, slots: 1, defects: roles });
  fleet.stormy = false;
  await fleet.start();
  for (const one of fleet.guarded.slice(2)) one.wants = true;
  await fleet.pass(300_000);
  assert.deepEqual([...refused], []);
  assert.deepEqual(
    fleet.guarded.map(({ reboots }) => reboots),
    [0, 0, 1, 1, 1],
  );
  await fleet.end();
});

test("a role that lacks a grant is noticed here", async () => {
  const { refused, roles } = underRoles(({ access, key }) => access === "write" && key === `${keys.root}assign/`);
  const { violations } = await runSeed(2, roles);
  assert.ok([...refused].some((what) => what.startsWith(`engine: write ${keys.root}assign/`)));
  assert.ok(violations.length > 0);
});
