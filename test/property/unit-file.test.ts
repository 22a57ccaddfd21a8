import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasErrors } from "../../src/domain/diagnostic.ts";
import { parseUnitFile } from "../../src/domain/unit/parse-unit-file.ts";
import { printUnitFile } from "../../src/domain/unit/print-unit-file.ts";
import fc from "./fast-check.ts";

/** Pieces in which every rule of the format has a part, so that their order decides and not luck. */
const piece = fc.constantFrom(
  ..."\n,\n,\n, ,\t,\\,\\\\,\\\n,=,[,],[Unit],[Service]\n,#,;,After=,a,é,\u{1f600},%,\",'".split(","),
);
const shaped = fc.array(piece, { maxLength: 80 }).map((pieces) => pieces.join(""));
const anything = fc.string({ unit: "binary", maxLength: 200 }).filter((text) => text.isWellFormed());

/** What a person could have written: no errors in it, and what it says is known. */
const word = fc.stringMatching(/^[a-zA-Z0-9%"'=;#.-]([a-zA-Z0-9 \t%"'=;#.-]{0,20}[a-zA-Z0-9%"'=;#.-])?$/);
const assignment = fc.record({
  section: fc.constantFrom("Unit", "Service", "X-Fleet"),
  key: fc.stringMatching(/^[A-Z][a-zA-Z]{0,10}$/),
  value: fc.oneof(fc.constant(""), word),
  around: fc.constantFrom("", " ", "\t", " \t "),
  noise: fc.constantFrom("", "\n", "# comment \\\n", " ; another\n"),
});

describe("unit files, for any text", () => {
  test("printing what was parsed gives the same text, wrong or right", () => {
    fc.assert(
      fc.property(fc.oneof(shaped, anything), (text) => {
        assert.equal(printUnitFile(parseUnitFile("a.service", text).file), text);
      }),
      { numRuns: 2000 },
    );
  });

  test("bytes and text read alike", () => {
    fc.assert(
      fc.property(shaped, (text) => {
        assert.deepEqual(parseUnitFile("a", new TextEncoder().encode(text)), parseUnitFile("a", text));
      }),
    );
  });

  test("any bytes at all are read or refused, never thrown at", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { file, diagnostics } = parseUnitFile("a.service", bytes);
        if (hasErrors(diagnostics)) return;
        assert.deepEqual(new TextEncoder().encode(printUnitFile(file)), bytes);
      }),
    );
  });

  test("each entry knows the line it begins on", () => {
    fc.assert(
      fc.property(shaped, (text) => {
        let line = 1;
        for (const entry of parseUnitFile("a.service", text).file.entries) {
          assert.equal(entry.line, line);
          line += entry.raw.split("\n").length - 1;
        }
      }),
    );
  });

  test("what was written is what is read", () => {
    fc.assert(
      fc.property(fc.array(assignment, { maxLength: 20 }), (written) => {
        const text = written
          .map(
            (one) => `${one.noise}[${one.section}]\n${one.around}${one.key}${one.around}=${one.around}${one.value}\n`,
          )
          .join("");
        const { file, diagnostics } = parseUnitFile("a.service", text);
        assert.deepEqual(diagnostics, []);
        const read = file.entries.flatMap((entry) => (entry.kind === "assignment" ? [entry] : []));
        assert.deepEqual(
          read.map(({ section, key, value }) => [section, key, value]),
          written.map(({ section, key, value }) => [section, key, value]),
        );
      }),
    );
  });
});
