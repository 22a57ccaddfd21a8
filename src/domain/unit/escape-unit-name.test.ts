import assert from "node:assert/strict";
import { test } from "node:test";
import { escapePath, unescapeUnitName } from "./escape-unit-name.ts";

// Expected names are those of `systemd-escape --path`.
const paths: [string, string | null][] = [
  ["/", "-"],
  ["/srv", "srv"],
  ["/var/lib/a-b/", "var-lib-a\\x2db"],
  ["//var//./lib", "var-lib"],
  ["/.hidden/.x", "\\x2ehidden-.x"],
  ["/ü", "\\xc3\\xbc"],
  ["/a/../b", null],
  ["relative", null],
];
for (const [path, expected] of paths) test(`path ${path}`, () => assert.equal(escapePath(path), expected));

const names: [string, string | null][] = [
  ["var-lib-a\\x2db", "var/lib/a-b"],
  ["\\xc3\\xbc", "ü"],
  ["a\\", null],
  ["a\\xzz", null],
  ["\\xc3", null],
];
for (const [name, expected] of names) test(`name ${name}`, () => assert.equal(unescapeUnitName(name), expected));
