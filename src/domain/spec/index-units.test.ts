import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import { indexUnits } from "./index-units.ts";

const CASES: readonly [sentence: string, head: string, description: string][] = [
  ["a description is what follows the equals sign", "Description=A web server\n", "A web server"],
  ["spaces around it do not count", "  Description =  A  web server  \n", "A  web server"],
  ["an empty one does not take the next line", "Description=\nAfter=network.target\n", ""],
  ["a unit without one has none", "After=network.target\n", ""],
  ["one in a comment is none", "# Description=old\n", ""],
];
for (const [sentence, head, description] of CASES) {
  test(sentence, () => {
    const { spec } = compileRepository({
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\n",
      "units/a.service": `[Unit]\n${head}[Service]\nExecStart=/bin/true\n`,
    });
    assert.deepEqual(
      indexUnits(spec!, sha256).map((unit) => [unit.name, unit.description]),
      [["a.service", description]],
    );
  });
}
