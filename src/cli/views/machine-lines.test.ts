import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "../../domain/cluster/cluster-snapshot.ts";
import type { MachineId, UnitName } from "../../domain/names.ts";
import { closedText } from "./engine-wait-text.ts";
import { doubleLines, unrecordedLines } from "./machine-lines.ts";

const [ONE, TWO] = ["1", "2"].map((digit) => digit.repeat(32) as MachineId) as [MachineId, MachineId];

function member(id: MachineId, name: string): Member {
  const who = { address: "10.0.0.11", metadata: {}, bootId: "b1", version: "", joined: "", acceptedSeq: 1 };
  return { ...who, id, name, present: true, presenceRevision: 3 };
}

test("a refused machine is named beside the one that has its id, both with address and boot, and what to do", () => {
  const refused = { machine: ONE, name: "copy", address: "10.0.0.12", bootId: "b2" };
  const [line = ""] = doubleLines([member(ONE, "pi-1")], [refused]);
  assert.match(
    line,
    /^pi-1 at 10\.0\.0\.11 \(boot b1\) and copy at 10\.0\.0\.12 \(boot b2\) have one machine id, 1{32}: /,
  );
  assert.match(line, /systemd-machine-id-setup, then restart fleet-agent$/);
});

test("machines of one name are told by their ids", () => {
  const [line = "", ...others] = doubleLines([member(ONE, "pi"), member(TWO, "pi")], []);
  assert.match(line, new RegExp(`^2 machines call themselves pi: ${ONE}, ${TWO};`));
  assert.deepEqual(others, []);
  assert.deepEqual(doubleLines([member(ONE, "pi"), member(TWO, "nas")], []), []);
});

test("a closed machine: why, what admits it, what stays", () => {
  const nameOf = () => "pi";
  const text = (because: "not-admitted" | "drained" | "cordoned", stays: readonly UnitName[] = []) =>
    closedText(
      {
        machine: ONE,
        because,
        stays:
          stays.length === 0
            ? []
            : [{ because: { code: "data-stays", because: "StateDirectory=db" }, units: stays, more: 0 }],
      },
      nameOf,
    );
  assert.equal(
    text("not-admitted"),
    `pi is not listed by the commit and gets nothing; to admit it: machines: { pi: { id: ${ONE} } }`,
  );
  assert.equal(text("cordoned"), "pi is cordoned: nothing new comes");
  assert.equal(text("drained"), "pi is drained: nothing stays");
  assert.equal(
    text("drained", ["db.service" as UnitName]),
    "pi is drained: there stays db.service (its data is here (StateDirectory=db))",
  );
});

test("a machine without its record is named, with what to do where it will not come back", () => {
  const [line = "", ...others] = unrecordedLines([{ ...member(ONE, ONE), unrecorded: true }, member(TWO, "nas")]);
  assert.match(line, new RegExp(`record of machine ${ONE} is gone.*fleet machine remove ${ONE}$`));
  assert.deepEqual(others, []);
});
