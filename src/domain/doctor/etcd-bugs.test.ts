import assert from "node:assert/strict";
import { test } from "node:test";
import { bugsOf, ETCD_BUGS, soundReleases } from "./etcd-bugs.ts";

const CASES: readonly [version: string, sources: readonly string[]][] = [
  ["3.7.1", []],
  ["3.6.14", []],
  ["3.5.33", []],
  ["4.0.0", []],
  ["3.5.32", ["CVE-2026-73499"]],
  ["3.7.0", ["CVE-2026-73499"]],
  // The 3.4 line ended before that one was found.
  ["3.4.44", ["CVE-2026-73499"]],
  ["3.6.10", ["CVE-2026-73499", "CVE-2026-44283"]],
  ["somebody's own", []],
];
for (const [version, sources] of CASES) {
  test(`etcd ${version} has ${sources.length === 0 ? "none of the bugs" : sources.join(", ")}`, () => {
    assert.deepEqual(
      bugsOf(version).map(({ source }) => source),
      sources,
    );
  });
}

test("Debian 12's etcd ends leases wrongly and keeps no roles apart, and has none of the bugs of 3.5 alone", () => {
  const kinds = new Set(bugsOf("3.4.23").map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), ["etcd-leases", "etcd-rbac"]);
  assert.ok(bugsOf("3.4.23").every(({ since }) => since === undefined));
});

test("early 3.5 releases lose data", () => {
  assert.equal(bugsOf("3.5.2").filter(({ kind }) => kind === "etcd-data").length, 2);
  assert.equal(bugsOf("3.5.4").filter(({ kind }) => kind === "etcd-data").length, 1);
  assert.equal(bugsOf("3.5.5").filter(({ kind }) => kind === "etcd-data").length, 0);
});

test("what to upgrade to has none of them", () => {
  assert.deepEqual(soundReleases(ETCD_BUGS.filter(({ kind }) => kind === "etcd-rbac")), ["3.5.33", "3.6.14", "3.7.1"]);
  assert.deepEqual(soundReleases(ETCD_BUGS.filter(({ kind }) => kind === "etcd-leases")), [
    "3.4.38",
    "3.5.23",
    "3.6.5",
  ]);
  assert.deepEqual(soundReleases(ETCD_BUGS.filter(({ kind }) => kind === "etcd-data")), ["3.5.5"]);
  for (const release of soundReleases(ETCD_BUGS)) assert.deepEqual(bugsOf(release), []);
});

test("each has a source", () => {
  for (const { source } of ETCD_BUGS) assert.match(source, /^CVE-\d{4}-\d+$|^etcd/);
});
