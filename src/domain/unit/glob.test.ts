import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileGlob } from "./glob.ts";

// The table of Go's path.Match tests, less what needs text beyond ASCII.
const cases: [string, string, boolean | null][] = [
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "a", true],
  ["a*", "abc", true],
  ["a*", "ab/c", false],
  ["a*/b", "abc/b", true],
  ["a*/b", "a/c/b", false],
  ["a*b*c*d*e*/f", "axbxcxdxe/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true],
  ["a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/fff", false],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["a*b?c*x", "abxbbxdbxebxczzy", false],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^b-d]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["[a-ζ]*", "a", true],
  ["*[a-z]", "A", false],
  ["a?b", "a/b", false],
  ["a*b", "a/b", false],
  ["[\\]a]", "]", true],
  ["[\\-]", "-", true],
  ["[x\\-]", "x", true],
  ["[x\\-]", "-", true],
  ["[x\\-]", "z", false],
  ["[\\-x]", "x", true],
  ["[\\-x]", "a", false],
  ["[]a]", "]", null],
  ["[-]", "-", null],
  ["[x-]", "x", null],
  ["[-x]", "x", null],
  ["\\", "a", null],
  ["[a-b-c]", "a", null],
  ["[", "a", null],
  ["[^", "a", null],
  ["[^bc", "a", null],
  ["a[", "a", null],
  ["*x", "xxx", true],
  ["", "", true],
  ["", "a", false],
  ["**", "abc", true],
  ["web@*.service", "web@1.service", true],
  ["web@*.service", "web@.service", true],
  ["web@*.service", "web.service", false],
  ["web@*.service", "xweb@1.service", false],
  ["*.service", "a.service.timer", false],
  ["a*a", "a", false],
];
describe("globs, as Go's path.Match", () => {
  for (const [pattern, name, expected] of cases) {
    const sentence = expected === null ? "is malformed" : `${expected ? "matches" : "does not match"} ${name}`;
    test(`${JSON.stringify(pattern)} ${sentence}`, () => {
      const glob = compileGlob(pattern);
      assert.equal(glob === null ? null : glob(name), expected);
    });
  }

  test("no pattern takes long", () => {
    const started = performance.now();
    assert.equal(compileGlob(`${"*a".repeat(1000)}*b`)?.("a".repeat(255)), false);
    assert.ok(performance.now() - started < 5000);
  });
});
