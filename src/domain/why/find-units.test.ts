import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../names.ts";
import { findUnits } from "./find-units.ts";

const names = (...texts: string[]) => new Set(texts as UnitName[]);
const KNOWN = {
  cluster: names("web@1.service", "web@2.service", "db.container", "data.volume", "backup.service", "backup.timer"),
  head: names("web@1.service", "new.service"),
  worktree: names("draft.service"),
};

const FOUND: readonly [sentence: string, asked: string, units: readonly string[]][] = [
  ["a whole name", "backup.timer", ["backup.timer"]],
  ["a service without its type", "backup", ["backup.service"]],
  ["an instance", "web@2", ["web@2.service"]],
  ["a template means its instances", "web@", ["web@1.service", "web@2.service"]],
  ["a quadlet by the name systemd knows it by", "db.service", ["db.container"]],
  ["and one whose generator adds a suffix", "data-volume", ["data.volume"]],
  ["a pattern", "backup.*", ["backup.service", "backup.timer"]],
];
for (const [sentence, asked, units] of FOUND) {
  test(`units are found by ${sentence}`, () => {
    assert.deepEqual(findUnits(asked, KNOWN), { kind: "found", units });
  });
}

const UNKNOWN: readonly [sentence: string, asked: string, because: object][] = [
  ["in the commit somebody stands on", "new", { code: "not-applied", units: ["new.service"] }],
  ["only in the working tree", "draft", { code: "not-committed", units: ["draft.service"] }],
  [
    "an instance its template does not have",
    "web@7",
    { code: "no-instance", instances: ["web@1.service", "web@2.service"] },
  ],
  ["mistyped", "bakcup", { code: "no-such-unit", meant: "backup.service" }],
  ["nothing like any", "mail", { code: "no-such-unit", meant: null }],
  ["a pattern of nothing", "mail*", { code: "no-such-unit", meant: null }],
  ["a pattern nobody can read", "[", { code: "no-such-unit", meant: null }],
];
for (const [sentence, asked, because] of UNKNOWN) {
  test(`a unit the cluster does not have: ${sentence}`, () => {
    assert.deepEqual(findUnits(asked, KNOWN), { kind: "unknown", asked, because });
  });
}
