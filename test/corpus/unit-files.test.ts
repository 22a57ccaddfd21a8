import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { effectiveUnit } from "../../src/domain/unit/effective-unit.ts";
import { parseUnitFile } from "../../src/domain/unit/parse-unit-file.ts";
import { printUnitFile } from "../../src/domain/unit/print-unit-file.ts";
import { readFleetOptions } from "../../src/domain/unit/read-fleet-options.ts";
import { parseUnitName } from "../../src/domain/unit/unit-name.ts";
import { unitTies } from "../../src/domain/unit/unit-ties.ts";

/** Unit files that real people wrote, kept beside the repository and not in it: they have licences of their own. */
const CORPUS = join(import.meta.dirname, "../../../shared/corpus");
const skip = existsSync(CORPUS) ? false : "the corpus of real unit files is not on this machine";

const files = skip
  ? []
  : readdirSync(CORPUS, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      const name = entry.isFile() ? parseUnitName(entry.name) : null;
      return name === null ? [] : [{ name, path: join(entry.parentPath, entry.name) }];
    });

describe("real unit files", { skip }, () => {
  test("there are some", () => assert.ok(files.length >= 30, `${files.length} files`));

  for (const { name, path } of files) {
    test(`${name} comes back byte for byte, and nothing in it is wrong`, () => {
      const bytes = readFileSync(path);
      const { file, diagnostics } = parseUnitFile(name, bytes);
      assert.deepEqual(diagnostics, []);
      assert.ok(Buffer.from(printUnitFile(file)).equals(bytes));
      const unit = effectiveUnit(file, []);
      const { options, diagnostics: wrongOptions } = readFleetOptions(name, unit);
      assert.deepEqual(wrongOptions, []);
      assert.deepEqual(unitTies(name, unit, options).diagnostics, []);
    });
  }
});
