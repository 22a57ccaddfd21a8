/**
 * Every folder of cases/ is a test: `repo/` is its first commit, `run.txt` what is done, `expected.txt` what is printed.
 * UPDATE_GOLDEN=1 writes what is printed instead of comparing; read the difference before committing it.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GoldenCluster } from "./golden-cluster.ts";

const CASES = join(import.meta.dirname, "cases");
/** More than a screen is not read. */
const LINES_MAX = 50;

for (const name of readdirSync(CASES).sort()) {
  const folder = join(CASES, name);
  const script = readFileSync(join(folder, "run.txt"), "utf8").trimEnd().split("\n");

  test(`golden ${name}: ${script[0]!.replace(/^# /, "")}`, async () => {
    assert.match(script[0]!, /^# \w/, "a case's first line says what it shows");
    const cluster = new GoldenCluster(folder);
    const printed: string[] = [];
    for (const line of script.slice(1)) {
      const output = await cluster.run(line);
      printed.push(`$ ${line}`, ...(output === "" ? [] : [output, ""]));
    }
    const text = `${printed.join("\n").trimEnd()}\n`;
    assert.ok(text.split("\n").length <= LINES_MAX, `it prints more than ${LINES_MAX} lines`);
    const expected = join(folder, "expected.txt");
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(expected, text);
    assert.equal(
      text,
      existsSync(expected) ? readFileSync(expected, "utf8") : "",
      `${name}: UPDATE_GOLDEN=1 rewrites it`,
    );
  });
}
