import assert from "node:assert/strict";
import { test } from "node:test";
import { expandSpecifiers } from "./specifiers.ts";
import { parseUnitName } from "./unit-name.ts";

const INSTANCE = "my-app@data-x\\x2dy.service";
const cases: [string, string, string, string, string[]][] = [
  ["the whole name", INSTANCE, "%n", INSTANCE, []],
  ["the name without its type", INSTANCE, "%N", "my-app@data-x\\x2dy", []],
  ["the prefix", INSTANCE, "%p", "my-app", []],
  ["the instance", INSTANCE, "a-%i-b", "a-data-x\\x2dy-b", []],
  ["the prefix's last part", INSTANCE, "%j", "app", []],
  ["the whole prefix where it has one part", "web.service", "%j", "web", []],
  ["the unescaped instance", INSTANCE, "%I", "data/x-y", []],
  ["the unescaped prefix", INSTANCE, "%P", "my/app", []],
  ["a percent sign", INSTANCE, "100%%", "100%", []],
  ["a doubled percent sign shields the letter", INSTANCE, "%%i", "%i", []],
  ["no instance is empty", "web.service", "x%i", "x", []],
  ["what only a machine knows stays, and is told once", INSTANCE, "%H-%m-%H-%p", "%H-%m-%H-my-app", ["%H", "%m"]],
  ["a percent sign at the end stays", INSTANCE, "5%", "5%", []],
  ["an instance that does not unescape stays", "a@\\x.service", "%I", "%I", ["%I"]],
  ["bytes that are no text stay", "a@\\xff.service", "%I", "%I", ["%I"]],
];
for (const [sentence, name, text, expected, left] of cases) {
  test(sentence, () => {
    const unit = parseUnitName(name);
    assert.ok(unit);
    assert.deepEqual(expandSpecifiers(text, unit), { text: expected, left });
  });
}
