import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../names.ts";
import { effectiveUnit } from "./effective-unit.ts";
import { parseUnitFile } from "./parse-unit-file.ts";
import { readFleetOptions } from "./read-fleet-options.ts";

const CASES: readonly (readonly [name: string, lines: string, ports: readonly string[], saw: readonly string[]])[] = [
  [
    "two on a line, one on another",
    "Announce=http:80 stats:9000\nAnnounce=dns:53/udp",
    ["http 80", "stats 9000", "dns 53"],
    [],
  ],
  ["an instance's own", "Announce=http:80%i", ["http 801"], []],
  ["nothing any more", "Announce=http:80\nAnnounce=", [], []],
  ["one that is none", "Announce=http", [], ["Announce=http"]],
  ["one name twice", "Announce=http:80 http:81", ["http 80"], ["the port http twice"]],
  [
    "too many",
    `Announce=${Array.from({ length: 9 }, (_, index) => `p${index}:80`).join(" ")}`,
    Array.from({ length: 8 }, (_, index) => `p${index} 80`),
    ["one more announced port"],
  ],
];

for (const [name, lines, ports, saw] of CASES) {
  test(`ports a unit announces: ${name}`, () => {
    const text = `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${lines}\n`;
    const { file } = parseUnitFile("units/web@.service", new TextEncoder().encode(text));
    const { options, diagnostics } = readFleetOptions("web@1.service" as UnitName, effectiveUnit(file, []));
    assert.deepEqual(
      (options.announce ?? []).map((one) => `${one.name} ${one.port}`),
      ports,
    );
    assert.deepEqual(
      diagnostics.map((one) => one.saw),
      saw,
    );
  });
}
