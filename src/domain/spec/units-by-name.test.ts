import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../names.ts";
import type { SpecUnit } from "./cluster-spec.ts";
import { unitsByName } from "./units-by-name.ts";

const WEB = "web.service" as UnitName;
const unit = (name: UnitName, text: string) => ({ name, fragment: { path: name, text } }) as unknown as SpecUnit;

test("of one list it is the same value again, and each list has its own units", () => {
  const [old, next] = [[unit(WEB, "1")], [unit(WEB, "2")]];
  const before = unitsByName(old);
  assert.equal(unitsByName(next).get(WEB)?.fragment.text, "2");
  assert.equal(unitsByName(old), before);
  assert.equal(before.get(WEB)?.fragment.text, "1");
  assert.equal(before.get("db.service" as UnitName), undefined);
});
