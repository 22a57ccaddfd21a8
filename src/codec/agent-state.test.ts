import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId, SpecHash, UnitHash, UnitName } from "../domain/names.ts";
import {
  type AgentState,
  decodeAgentState,
  decodeOwnedUnits,
  decodeStoredUnit,
  encodeAgentState,
  encodeOwnedUnits,
  encodeStoredUnit,
  type OwnedUnit,
  type StoredUnit,
} from "./agent-state.ts";

const hash = "0".repeat(64) as UnitHash;
const state: AgentState = {
  clusterId: "c",
  clusterName: "prod",
  accepted: { seq: 3, commit: "f".repeat(40) as CommitId, specHash: "e".repeat(64) as SpecHash },
  set: { epoch: 1, generation: 9, placements: [{ unit: "a.service" as UnitName, hash, goal: "launched" }] },
};
const unit: StoredUnit = {
  name: "a.service" as UnitName,
  service: "a.service" as UnitName,
  hash,
  files: [{ path: "a.service", text: "[Service]\n" }],
  after: ["b.service" as UnitName],
  oneshot: false,
};
const owned = new Map<UnitName, OwnedUnit>([
  [unit.name, { service: unit.service, files: ["a.service"], onDisk: hash, loaded: hash, started: null }],
]);

test("what an agent remembers comes back as it was", () => {
  assert.deepEqual(decodeAgentState(encodeAgentState(state)), state);
  const fresh: AgentState = { clusterId: null, clusterName: "prod", accepted: null, set: null };
  assert.deepEqual(decodeAgentState(encodeAgentState(fresh)), fresh);
  assert.deepEqual(decodeStoredUnit(encodeStoredUnit(unit)), unit);
  assert.deepEqual(decodeOwnedUnits(encodeOwnedUnits(owned)), owned);
});

test("a file that is not there is none", () => {
  assert.equal(decodeAgentState(null), null);
  assert.equal(decodeStoredUnit(null), null);
  assert.equal(decodeOwnedUnits(null).size, 0);
});

test("a file cut short anywhere is none", () => {
  const texts = [encodeAgentState(state), encodeStoredUnit(unit), encodeOwnedUnits(owned)];
  for (const text of texts) {
    for (let length = 0; length < text.length - 1; length++) {
      const cut = text.slice(0, length);
      assert.equal(decodeAgentState(cut), null);
      assert.equal(decodeStoredUnit(cut), null);
      assert.equal(decodeOwnedUnits(cut).size, 0);
    }
  }
});

const damage = (value: unknown) => value as never;

for (const [sentence, broken] of [
  ["an accepted release without a commit", { ...state, accepted: damage({ seq: 1 }) }],
  ["a set without placements", { ...state, set: damage({ epoch: 1, generation: 1 }) }],
  ["a placement without a hash", { ...state, set: damage({ ...state.set, placements: [{ unit: "a.service" }] }) }],
] as const) {
  test(`a state with ${sentence} is none`, () => assert.equal(decodeAgentState(encodeAgentState(broken)), null));
}

test("a stored unit with a file that has no text is none", () => {
  assert.equal(decodeStoredUnit(encodeStoredUnit({ ...unit, files: damage([{ path: "a.service" }]) })), null);
});

test("of the owned units a damaged one is forgotten and the others are not", () => {
  const broken = new Map(owned).set("b.service" as UnitName, damage(null)).set("c.service" as UnitName, damage({}));
  assert.deepEqual(decodeOwnedUnits(encodeOwnedUnits(broken)), owned);
});

test("what is on trial and what is refused come back; damaged, they are none, and the rest is whole", () => {
  const kept = { unit: "a.service" as UnitName, hash, goal: "launched" as const };
  const units = [{ unit: kept.unit, offered: null, kept, risky: true }];
  const refusal = { since: "2026-11-21T10:00:00.000Z", withinMs: 90_000, units, renew: [] };
  const whole: AgentState = { ...state, trial: { undo: [{ unit: kept.unit, kept }], starts: 1 }, refusal };
  assert.deepEqual(decodeAgentState(encodeAgentState(whole)), whole);
  const damages: readonly object[] = [
    { trial: null, refusal: 7 },
    { trial: { undo: [{ unit: 1, kept: null }], starts: 0 }, refusal: { ...refusal, units: [{ unit: "a.service" }] } },
    { trial: { undo: [{ unit: "a.service", kept: {} }], starts: 0 }, refusal: { ...refusal, renew: null } },
  ];
  for (const damage of damages) {
    assert.deepEqual(decodeAgentState(encodeAgentState({ ...whole, ...damage } as AgentState)), state);
  }
});
