import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { hasErrors } from "../../src/domain/diagnostic.ts";
import { parseUnitFile } from "../../src/domain/unit/parse-unit-file.ts";
import fc from "../property/fast-check.ts";

const ANALYZE = "systemd-analyze";
const skip = spawnSync(ANALYZE, ["--version"]).status === 0 ? false : "systemd-analyze is not on this machine";

/** systemd names each Nice= it cannot read, value and all, and each key it does not know: so it tells how it parsed. */
const HEADER = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
const piece = fc.constantFrom(
  "Nice=",
  "Nice",
  "Xy",
  "=",
  "a",
  "b",
  " ",
  "\t",
  "\\",
  "\\\n",
  "\n",
  "\nNice=",
  "#",
  ";",
  '"',
  "[",
);
const body = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(""));

/** Texts by number of bodies we take; one process reads them all. */
const FILES = 400;

interface Reading {
  /** Values of Nice=, in order. */
  readonly values: string[];
  readonly unknownKeys: string[];
}

function systemdReads(bodies: readonly (string | Buffer)[]): Reading[] {
  const folder = mkdtempSync(join(tmpdir(), "fleet-unit-file-"));
  try {
    const paths = bodies.map((text, index) => {
      const path = join(folder, `t${index}.service`);
      writeFileSync(path, Buffer.concat([Buffer.from(HEADER), Buffer.from(text)]));
      return path;
    });
    const { stderr } = spawnSync(ANALYZE, ["verify", "--man=no", ...paths], { encoding: "utf8", timeout: 60_000 });
    const readings = bodies.map((): Reading => ({ values: [], unknownKeys: [] }));
    for (const [, index, message] of stderr.matchAll(/\/t(\d+)\.service:\d+: (.*)/g)) {
      const reading = readings[Number(index)]!;
      const value = /^Failed to parse nice priority '(.*)', ignoring/.exec(message!)?.[1];
      if (value !== undefined) reading.values.push(value);
      const key = /^Unknown key '(.*)' in section/.exec(message!)?.[1];
      if (key !== undefined) reading.unknownKeys.push(key);
    }
    return readings;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function weRead(text: string): Reading | null {
  const { file, diagnostics } = parseUnitFile("t.service", HEADER + text);
  if (hasErrors(diagnostics)) return null;
  const assignments = file.entries.flatMap((entry) => (entry.kind === "assignment" && entry.line > 3 ? [entry] : []));
  return {
    // An empty one is taken as a reset, without a word.
    values: assignments.flatMap(({ key, value }) => (key === "Nice" && value !== "" ? [value] : [])),
    unknownKeys: assignments.flatMap(({ key }) => (key === "Nice" ? [] : [key])),
  };
}

describe("the parser against systemd itself", { skip }, () => {
  test("row 85: what we take, systemd reads as the same keys and values", () => {
    const taken = fc
      .sample(body, { numRuns: FILES * 10, seed: 1 })
      .filter((text) => weRead(text) !== null)
      .slice(0, FILES);
    assert.equal(taken.length, FILES);
    const readings = systemdReads(taken);
    assert.ok(
      readings.some(({ values }) => values.length > 1) && readings.some(({ unknownKeys }) => unknownKeys.length > 0),
    );
    for (const [index, text] of taken.entries()) assert.deepEqual(weRead(text), readings[index], JSON.stringify(text));
  });

  /** What a reader of lines, a person or a lint of ours would see in it, if it were taken; and what systemd does. */
  const HOSTILE: readonly (readonly [what: string, body: string | Buffer, systemd: readonly string[] | "nothing"])[] = [
    ["a carriage return that ends a line", "SyslogIdentifier=b\rNice=hidden\n", ["hidden"]],
    ["a NUL that ends a line", "SyslogIdentifier=b\0Nice=hidden\n", ["hidden"]],
    ["a carriage return that ends a comment", "# harmless\rNice=hidden\n", ["hidden"]],
    [
      "an assignment that is not UTF-8, for which the rest is not read",
      Buffer.from("SyslogIdentifier=\xff\nNice=seen\n", "latin1"),
      "nothing",
    ],
    ["a line of a mebibyte, for which nothing of the file is read", `Nice=${"9".repeat(1 << 20)}\n`, "nothing"],
  ];

  test("row 85: what systemd reads otherwise than it looks is refused", () => {
    const readings = systemdReads(HOSTILE.map(([, body]) => body));
    for (const [at, [what, body, systemd]] of HOSTILE.entries()) {
      const bytes = Buffer.concat([Buffer.from(HEADER), Buffer.from(body)]);
      assert.ok(hasErrors(parseUnitFile("t.service", bytes).diagnostics), what);
      assert.deepEqual(readings[at]!.values, systemd === "nothing" ? [] : systemd, what);
    }
  });

  test("row 85: a comment inside a continuation hides nothing from us that systemd reads", () => {
    const bodies = ["Nice=a\\\n# Nice=b\\\nc\nNice=d\n", "Nice=a \\\n;x\n\nNice=b\n", "# x \\\nNice=a\n"];
    for (const [at, reading] of systemdReads(bodies).entries()) {
      assert.ok(reading.values.length > 0, bodies[at]);
      assert.deepEqual(weRead(bodies[at]!), reading, bodies[at]);
    }
  });
});
