import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { documentedCodes } from "../../../test/tidy/diagnostic-codes.ts";
import { explainedCodes, explainedText } from "./explained-codes.ts";

const PAGE = `# Page

## First things

| Code | Severity | Cause | Cure |
|---|---|---|---|
| \`one-two\` | error | a \`key\` that is \`a\\|b\` | see [trust.md](trust.md), or [the map](map.md#x) |

| Other | Table |
|---|---|
| \`three\` | no code |

## \`[X-Fleet]\` and more

| Code | Meaning |
|---|---|
| \`one-two\` | something else |
`;

test("a code is told with all its columns, once for each thing it may be about, without Markdown", () => {
  assert.equal(
    explainedText(explainedCodes(PAGE)),
    `one-two: First things
  Severity: error
  Cause:    a key that is a|b
  Cure:     see docs/trust.md, or the map (docs/map.md#x)

one-two: [X-Fleet] and more
  Meaning: something else`,
  );
});

test("every code of docs/diagnostics.md is explained", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/diagnostics.md"), "utf8");
  const explained = new Map(explainedCodes(page).map((one) => [one.code, one]));
  for (const chapter of ["Diagnostics", "Reasons", "Findings", "Findings about a registry"]) {
    const codes = documentedCodes("docs/diagnostics.md", chapter);
    assert.ok(codes.length > 0, chapter);
    for (const code of codes) {
      const texts = explained.get(code)?.columns.map(([, text]) => text) ?? [];
      assert.ok(texts.length > 0 && texts.every((text) => text !== ""), code);
    }
  }
});
