import assert from "node:assert/strict";
import { test } from "node:test";
import { joinMachine, leaveMachine, pretendId } from "../../test/pretend-machine.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { UnitName } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Operation, Txn, TxnResult } from "../ports/registry.ts";
import { removeMachine } from "./remove-machine.ts";

const KEYS = registryKeys("test");
const [M1, M2] = [pretendId("m1"), pretendId("m10")];
/** More than fit into one transaction. */
const UNITS = 200;

function assign(unit: string, machine: string): Operation {
  const record = { machine, hash: "h", goal: "launched", reason: "planned" };
  return { kind: "put", key: KEYS.assign(unit as UnitName), value: encodeRecord(record) };
}

/** Gives up after so many writes, as a process that is killed does. */
class MortalRegistry extends MvccRegistry {
  writesLeft = Number.POSITIVE_INFINITY;
  before: () => Promise<unknown> = async () => {};

  override async txn(txn: Txn): Promise<TxnResult> {
    if (txn.then.some(({ kind }) => kind !== "list")) {
      if (this.writesLeft-- <= 0) throw new OperationError("killed", "this process is no more");
      const before = this.before;
      this.before = async () => {};
      await before();
    }
    return super.txn(txn);
  }
}

async function world() {
  const [store, clock] = [new MvccStore(), new VirtualClock()];
  const calm = new MvccRegistry(store, clock);
  for (const name of ["m1", "m10"]) {
    await joinMachine(calm, KEYS, name, {});
    const id = pretendId(name);
    const puts = (key: (unit: UnitName) => string) =>
      Array.from(
        { length: UNITS },
        (_, index): Operation => ({ kind: "put", key: key(`u${index}.service` as UnitName), value: "{}" }),
      );
    for (const operation of [...puts((unit) => KEYS.placement(id, unit)), ...puts((unit) => KEYS.status(id, unit))])
      await calm.txn({ when: [], then: [operation] });
    await calm.txn({ when: [], then: [{ kind: "put", key: KEYS.set(id), value: "{}" }] });
    for (let index = 0; index < UNITS; index += 1)
      await calm.txn({ when: [], then: [assign(`${name}-${index}.service`, id)] });
  }
  await leaveMachine(calm, KEYS, "m1");
  const keysNaming = async (id: string) => {
    const { entries } = await calm.list(KEYS.root);
    return entries.filter(({ key, value }) => key.split("/").includes(id) || value.includes(id)).map(({ key }) => key);
  };
  return { calm, registry: new MortalRegistry(store, clock), keysNaming };
}

test("everything of the machine goes, and nothing of one whose id begins alike", async () => {
  const { registry, keysNaming } = await world();
  const others = await keysNaming(M2);
  await removeMachine(registry, KEYS, M1);
  assert.deepEqual(await keysNaming(M1), []);
  assert.deepEqual(await keysNaming(M2), others);
});

test("wherever it is killed the machine is a member still, and the same again does the rest", async () => {
  for (let writes = 0; ; writes += 1) {
    const { registry, keysNaming } = await world();
    registry.writesLeft = writes;
    const error = await removeMachine(registry, KEYS, M1).then(
      () => null,
      (reason: OperationError) => reason,
    );
    const left = await keysNaming(M1);
    if (error === null) {
      assert.ok(writes > 3, "it takes more than a write or two");
      assert.deepEqual(left, []);
      return;
    }
    assert.equal(error.code, "killed");
    assert.ok(left.includes(KEYS.member(M1)));
    if (writes > 0) assert.ok(!left.includes(KEYS.set(M1)), "what is left of its set is no order to anybody");
    registry.writesLeft = Number.POSITIVE_INFINITY;
    await removeMachine(registry, KEYS, M1);
    assert.deepEqual(await keysNaming(M1), []);
  }
});

test("a machine that comes back meanwhile is refused and stays a member", async () => {
  const { registry, calm, keysNaming } = await world();
  registry.before = () => joinMachine(calm, KEYS, "m1", {});
  await assert.rejects(removeMachine(registry, KEYS, M1), { code: "machine-present" });
  assert.ok((await keysNaming(M1)).includes(KEYS.member(M1)));
});

test("a unit that an engine gives away at that very moment stays where it is given", async () => {
  const { registry, calm, keysNaming } = await world();
  const moved = assign("m1-0.service", M2);
  // Everything but the assignments takes four writes; the fifth takes the first of them.
  let writes = 0;
  const give = async (): Promise<unknown> => {
    writes += 1;
    if (writes === 5) return calm.txn({ when: [], then: [moved] });
    registry.before = give;
    return null;
  };
  registry.before = give;
  await removeMachine(registry, KEYS, M1);
  assert.deepEqual(await keysNaming(M1), []);
  assert.ok((await keysNaming(M2)).includes(KEYS.assign("m1-0.service" as UnitName)));
});
