import assert from "node:assert/strict";
import { test } from "node:test";
import { readFleetUnits } from "./fleet-units.ts";

const web = {
  name: "web.service",
  desiredState: "launched",
  currentState: "launched",
  machineID: "aa",
  options: [
    { section: "Unit", name: "Description", value: "web" },
    { section: "Service", name: "ExecStart", value: "/bin/sh \\\n  -c true" },
    { section: "Service", name: "Restart", value: "always" },
    { section: "X-Fleet", name: "Global", value: "true" },
  ],
};
const TEXT =
  "[Unit]\nDescription=web\n\n[Service]\nExecStart=/bin/sh \\\n  -c true\nRestart=always\n\n[X-Fleet]\nGlobal=true\n";

for (const [form, dump] of [
  ["a page", { units: [web] }],
  ["pages", [{ units: [web], nextPageToken: "x" }, { units: [] }]],
  ["a list", [web]],
] as const) {
  test(`units come out of ${form} as fleet wrote them`, () => {
    const [unit, ...others] = readFleetUnits(JSON.stringify(dump));
    assert.deepEqual(others, []);
    assert.deepEqual(
      [unit?.name, unit?.goal, new TextDecoder().decode(unit?.bytes)],
      ["web.service", "launched", TEXT],
    );
  });
}

for (const [what, dump, saw] of [
  ["no unit", [{ name: "web.service" }], /no unit with a name/],
  ["a name that is none", [{ ...web, name: "../web.service" }], /character/],
  [
    "a line break in a value",
    [{ ...web, options: [{ section: "Service", name: "A", value: "b\n[Unit]" }] }],
    /one line/,
  ],
] as const) {
  test(`what is not a dump of fleet is refused: ${what}`, () => {
    assert.throws(() => readFleetUnits(JSON.stringify(dump)), saw);
  });
}
