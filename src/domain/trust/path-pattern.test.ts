import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePaths } from "./path-pattern.ts";

test("patterns match whole paths, step by step", () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ["clusters/prod/**", "clusters/prod/fleet.yaml", true],
    ["clusters/prod/**", "clusters/prod/units/deep/er/a.service", true],
    ["clusters/prod/**", "clusters/prod", true],
    ["clusters/prod/**", "clusters/production/fleet.yaml", false],
    ["clusters/prod/**", "scratch/clusters/prod/fleet.yaml", false],
    ["clusters/prod", "clusters/prod/units/a.service", true],
    ["clusters/prod", "clusters/prod2/a", false],
    ["fleet.yaml", "fleet.yaml", true],
    ["fleet.yaml", "sub/fleet.yaml", false],
    ["**/fleet.yaml", "fleet.yaml", true],
    ["**/fleet.yaml", "a/b/fleet.yaml", true],
    ["**/fleet.yaml", "a/b/notfleet.yaml", false],
    ["clusters/*/fleet.yaml", "clusters/prod/fleet.yaml", true],
    ["clusters/*/fleet.yaml", "clusters/prod/x/fleet.yaml", false],
    ["units/*.service", "units/a.service", true],
    ["units/*.service", "units/x/a.service", false],
    ["a/**/b/**/c", "a/b/c", true],
    ["a/**/b/**/c", "a/x/b/y/z/c", true],
    ["a/**/b/**/c", "a/x/y/z/c", false],
    ["**", "anything/at/all", true],
    ["units/web@?.service", "units/web@1.service", true],
  ];
  for (const [pattern, path, expected] of table)
    assert.equal(compilePaths([pattern])?.(path), expected, `${pattern} and ${path}`);
});

test("any of several patterns is enough, and none matches nothing", () => {
  assert.equal(compilePaths(["a/**", "b"])?.("b"), true);
  assert.equal(compilePaths([])?.("b"), false);
});

test("what could not be a path, or leads out of the repository, is no pattern", () => {
  for (const pattern of ["", "/etc/**", "a//b", "../x", "a/../b", "./a", "a**", "a/b**/c", "[z"])
    assert.equal(compilePaths([pattern]), null, pattern);
});

test("a pattern of many stars against a long path comes to an answer", () => {
  const pattern = Array.from({ length: 100 }, () => "**/a").join("/");
  const path = Array.from({ length: 1000 }, (_, at) => (at === 999 ? "b" : "a")).join("/");
  assert.equal(compilePaths([pattern])?.(path), false);
});
