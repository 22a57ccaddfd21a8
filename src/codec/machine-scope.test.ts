import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../domain/names.ts";
import type { Compare, Operation, Txn } from "../ports/registry.ts";
import { agentPrefixes } from "./agent-prefixes.ts";
import { machineScope } from "./machine-scope.ts";
import { registryKeys } from "./registry-keys.ts";

const me = "a".repeat(32) as MachineId;
const other = "b".repeat(32) as MachineId;
const web = "web@1.service" as UnitName;
const keys = registryKeys("prod");
const scope = machineScope(keys, me);

const put = (key: string, lease?: string): Operation => ({
  kind: "put",
  key,
  value: "{}",
  ...(lease === undefined ? {} : { lease }),
});
const remove = (key: string): Operation => ({ kind: "delete", key });
const list = (prefix: string, exact = false): Operation => ({ kind: "list", prefix, exact });
const asRead = (key: string): Compare => ({ key, target: "mod", is: "=", value: 7 });
const doing = (...then: Operation[]): Txn => ({ when: [], then });
const header = keys.lockHeader("reboot");
const slot = keys.lock("reboot", me);
const service = (machine: MachineId) => `${keys.services}fleet/prod/web/_tcp/_http/${machine}-0123456789ab`;

const allowed: readonly [sentence: string, txn: Txn][] = [
  ["say which machine it is", { when: [asRead(keys.presence(me))], then: [put(keys.member(me))] }],
  [
    "say that it is there",
    { when: [asRead(keys.presence(me))], then: [put(keys.member(me)), put(keys.presence(me), "5")] },
  ],
  ["claim its id under its lease", doing(put(keys.claim(me, "0f3c-boot"), "5"))],
  [
    "say how its units are, and forget one",
    doing(put(keys.status(me, web)), remove(keys.status(me, "a.timer" as UnitName))),
  ],
  ["say what it keeps", doing(put(keys.kept(me)))],
  ["take back what it keeps", doing(remove(keys.kept(me)))],
  ["read the reboot lock at one revision", doing(list(header, true), list(`${header}/`))],
  ["wait in the line of the reboot lock", { when: [asRead(header)], then: [put(header)] }],
  ["take a slot to restart", { when: [asRead(header)], then: [put(header), put(slot)] }],
  [
    "take a slot, and end one that has lapsed",
    { when: [asRead(header)], then: [put(header), remove(keys.lock("reboot", other)), put(slot)] },
  ],
  [
    "go, with its grant",
    { when: [asRead(header), asRead(keys.grant(me)), asRead(slot)], then: [put(header), put(slot)] },
  ],
  ["say where its units are found, and that one is not there", doing(put(service(me), "5"), remove(service(me)))],
  ["give its slot back", { when: [asRead(header)], then: [put(header), remove(slot)] }],
  [
    "look how far the registry is (fleet doctor)",
    doing(list(keys.cluster, true), list(keys.release, true), list(keys.term, true), list(keys.member(me), true)),
  ],
];
for (const [sentence, txn] of allowed) {
  test(`a machine may ${sentence}`, () => assert.equal(scope.forbiddenIn(txn), null));
}

const reads: readonly [sentence: string, prefix: string, exact: boolean][] = [
  ...agentPrefixes(keys, me).map((prefix): [string, string, boolean] => [`follow ${prefix}`, prefix, false]),
  ["follow its own statuses", keys.statuses(me), false],
  ["read the header of its set", keys.set(me), true],
  ["read one of its placements", keys.placement(me, web), true],
  ["ask for the cluster, to see whether it is reached", keys.cluster, true],
  ["read its grant", keys.grant(me), true],
  ["read the slots of the reboot lock", `${header}/`, false],
  ["read who waits for a restart", header, true],
  ["read where units are found", keys.services, false],
];
for (const [sentence, prefix, exact] of reads) {
  test(`a machine may ${sentence}`, () => assert.equal(scope.mayRead(prefix, exact), true));
}

const secrets: readonly [sentence: string, prefix: string, exact: boolean][] = [
  ["everything there is", "", false],
  ["the whole cluster", keys.root, false],
  ["another cluster", registryKeys("other").root, false],
  ["the cluster record of another cluster", registryKeys("other").cluster, true],
  ["a cluster whose name begins with this one's", registryKeys("prod2").release, true],
  ["everybody's placements", `${keys.root}placements/`, false],
  ["another machine's set", keys.set(other), true],
  ["another machine's placements", keys.set(other), false],
  ["machines whose ids begin as its own does", keys.set(me.slice(0, 31) as MachineId), false],
  ["everybody's statuses", `${keys.root}status/`, false],
  ["another machine's statuses", keys.statuses(other), false],
  ["one status of another machine", keys.status(other, web), true],
  ["all members", `${keys.root}members/`, false],
  ["another member", keys.member(other), true],
  ["who is present", `${keys.root}presence/`, false],
  ["another machine's presence", keys.presence(other), true],
  ["what another machine keeps", keys.kept(other), true],
  ["claims to another id", keys.claims(other), false],
  ["all grants", keys.grants, false],
  ["another machine's grant", keys.grant(other), true],
  ["where a unit is", keys.assign(web), true],
  ["all assignments", `${keys.root}assign/`, false],
  ["the plan of a release", keys.planChunk("p", 0), true],
  ["the index of a commit", `${keys.root}specs/`, false],
  ["the engine's report", keys.report, true],
  ["who leads", keys.leader, true],
  ["what the engine knows of losses", keys.losses, true],
  ["all locks", keys.locks, false],
  ["the lock of applies", keys.lockHeader("apply"), true],
  ["locks whose names begin as the reboot lock's", header, false],
  ["what people told a rollout", keys.rolloutOrder(3), true],
  ["tokens that admit machines", `${keys.root}admitted/`, false],
];
for (const [sentence, prefix, exact] of secrets) {
  test(`a machine may not read ${sentence}, nor compare it`, () => {
    assert.equal(scope.mayRead(prefix, exact), false);
    assert.notEqual(scope.forbiddenIn(doing(list(prefix, exact))), null);
    if (exact) assert.equal(scope.forbiddenIn({ when: [asRead(prefix)], then: [] }), `compare ${prefix}`);
  });
}

const forbidden: readonly [sentence: string, txn: Txn][] = [
  ["write the cluster record", doing(put(keys.cluster))],
  ["release a commit", doing(put(keys.release))],
  ["write history", doing(put(keys.releaseAt(3)))],
  ["lead", doing(put(keys.leader, "5"))],
  ["raise the term", doing(put(keys.term))],
  ["write the engine's report", doing(put(keys.report))],
  ["assign a unit", doing(put(keys.assign(web)))],
  ["place a unit on itself", doing(put(keys.placement(me, web)))],
  ["write the header of its own set", doing(put(keys.set(me)))],
  ["empty its own set", doing(remove(keys.placement(me, web)))],
  ["place a unit elsewhere", doing(put(keys.placement(other, web)))],
  ["write another member", doing(put(keys.member(other)))],
  ["leave as a member without being removed", doing(remove(keys.member(me)))],
  ["be present without a lease", doing(put(keys.presence(me)))],
  ["be present for another", doing(put(keys.presence(other), "5"))],
  ["end another's presence", doing(remove(keys.presence(other)))],
  ["claim without a lease", doing(put(keys.claim(me, "boot")))],
  ["claim another's id", doing(put(keys.claim(other, "boot"), "5"))],
  ["claim under a name that is no boot's", doing(put(keys.claim(me, "a/b"), "5"))],
  ["take a claim back", doing(remove(keys.claim(me, "boot")))],
  ["be a member under a lease", doing(put(keys.member(me), "5"))],
  ["say how a unit is, for as long as a lease", doing(put(keys.status(me, web), "5"))],
  ["say how another's unit is", doing(put(keys.status(other, web)))],
  ["forget how another's unit is", doing(remove(keys.status(other, web)))],
  ["keep a status under no unit's name", doing(put(`${keys.statuses(me)}notes/secret`))],
  ["keep a status of nothing", doing(put(keys.statuses(me)))],
  ["forget all of its statuses at once", doing({ kind: "delete-prefix", prefix: keys.statuses(me) })],
  ["wipe the cluster", doing({ kind: "delete-prefix", prefix: keys.root })],
  ["wipe everything", doing({ kind: "delete-prefix", prefix: "" })],
  ["tell what another keeps", doing(put(keys.kept(other)))],
  ["hold the cluster", doing(put(`${keys.holds}cluster`))],
  ["be found as another", doing(put(service(other), "5"))],
  ["make another unfindable", doing(remove(service(other)))],
  ["be found for ever", doing(put(service(me)))],
  ["write beside the addresses", doing(put(`${keys.services}fleet/prod/web/${me}`, "5"))],
  ["end a hold", doing(remove(`${keys.holds}cluster`))],
  ["grant itself a restart", doing(put(keys.grant(me)))],
  ["withdraw another's grant", doing(remove(keys.grant(other)))],
  ["order a rollout", doing(put(keys.rolloutOrder(3)))],
  ["write a rollout's record", doing(put(keys.rollout(3)))],
  ["admit a machine", doing(put(`${keys.root}admitted/${other}`))],
  ["hold up applies", doing(put(keys.lockHeader("apply")))],
  ["take a slot blindly", doing(put(header), put(slot))],
  ["take a slot without the line", { when: [asRead(header)], then: [put(slot)] }],
  ["rewrite the line blindly", doing(put(header))],
  [
    "rewrite the line whatever is there",
    { when: [{ ...asRead(header), is: ">" } as Compare], then: [put(header), put(slot)] },
  ],
  [
    "end another's slot and take none",
    { when: [asRead(header)], then: [put(header), remove(keys.lock("reboot", other))] },
  ],
  ["take a slot for another", { when: [asRead(header)], then: [put(header), put(keys.lock("reboot", other))] }],
  ["take a slot of another lock", { when: [asRead(keys.lockHeader("apply"))], then: [put(keys.lock("apply", me))] }],
  ["delete the line", { when: [asRead(header)], then: [put(header), put(slot), remove(header)] }],
  ["take a slot where the comparison fails", { when: [asRead(header)], then: [put(header)], otherwise: [put(slot)] }],
  ["do in the other branch what it may not", { when: [], then: [], otherwise: [put(keys.release)] }],
  ["write in another cluster", doing(put(registryKeys("other").member(me)))],
];
for (const [sentence, txn] of forbidden) {
  test(`a machine may not ${sentence}`, () => assert.notEqual(scope.forbiddenIn(txn), null));
}

test("one thing that is forbidden forbids all of a transaction, and is named", () => {
  const txn = doing(put(keys.kept(me)), put(keys.release));
  assert.equal(scope.forbiddenIn(txn), "write /fleet/prod/release");
});

test("only its presence and its claims make a lease its own", () => {
  const own = [keys.presence(me), keys.claim(me, "boot")];
  const others = [keys.presence(other), keys.leader, keys.member(me), keys.claim(other, "boot"), keys.claims(me)];
  assert.deepEqual(
    [...own, ...others].filter((key) => scope.isOwnLeased(key)),
    own,
  );
});
