import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdVersion, hasFix, isEmbedded } from "./etcd-version.ts";

const FIXED = [
  [3, 4, 31],
  [3, 5, 13],
] as const;

const VERSIONS: readonly [string, boolean][] = [
  ["3.4.30", false],
  ["3.4.31", true],
  ["v3.4.31", true],
  ["3.5.9", false],
  ["3.5.13-rc.1", true],
  ["3.6.0", true],
  ["4.0.0", true],
  ["3.3.27", false],
  ["2.3.8", false],
  ["main", true],
];

for (const [version, isFixed] of VERSIONS) {
  test(`etcd ${version} ${isFixed ? "has" : "lacks"} what came with 3.4.31 and 3.5.13`, () => {
    assert.equal(hasFix(version, FIXED), isFixed);
  });
}

test("numbers are read from what etcd and fleet's own registry say", () => {
  assert.deepEqual(etcdVersion("3.5.0+fleet"), [3, 5, 0]);
  assert.equal(etcdVersion("latest"), null);
  assert.deepEqual([isEmbedded("3.5.0+fleet"), isEmbedded("3.5.0")], [true, false]);
});
