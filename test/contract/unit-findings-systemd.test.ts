import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lintDirectives } from "../../src/domain/lint/lint-directives.ts";
import { parseUnitFile } from "../../src/domain/unit/parse-unit-file.ts";
import { isKnownDirective } from "../../src/domain/unit/systemd-directives.ts";
import { parseUnitName, unitNameParts } from "../../src/domain/unit/unit-name.ts";
import fc from "../property/fast-check.ts";

const ANALYZE = "systemd-analyze";
const skip = spawnSync(ANALYZE, ["--version"]).status === 0 ? false : "systemd-analyze is not on this machine";

/** What systemd says with a file and a line, as far as it is about the file's grammar and its directives' names. */
const MESSAGES: readonly (readonly [RegExp, kind: string])[] = [
  [/^Unknown key '.*' in section \[.*\], ignoring/, "directive"],
  [/^Unknown section ''\. Ignoring/, "header"],
  [/^Unknown section '.*'\. Ignoring/, "section"],
  [/^Missing '=', ignoring line/, "no-equals"],
  [/^Missing key name before '=', ignoring line/, "no-key"],
  [/^Assignment outside of section/, "outside"],
  [/^Invalid section header/, "header"],
  [/^Bad characters in section header/, "header"],
  [/^Unit uses \w+=; please use/, "old"],
  [/^Support for option \w+= has been removed/, "old"],
  [/^Unit dependency type \w+= is obsolete/, "old"],
];

/** Our codes for the same. */
const KINDS: Readonly<Record<string, string>> = {
  "directive-unknown": "directive",
  "section-unknown": "section",
  "unit-no-equals": "no-equals",
  "unit-no-key": "no-key",
  "unit-text-before-section": "outside",
  "unit-section-header": "header",
  "unit-old-spelling": "old",
};

/** A refused header ends systemd's reading of the file, while we go on to tell everything: up to there both must agree. */
function upToHeader(findings: readonly string[]): string[] {
  const end = findings.findIndex((finding) => finding.endsWith(" header"));
  return findings.slice(0, end === -1 ? findings.length : end + 1);
}

/** One process reads all files. Findings as `line kind`, in order of lines. */
function systemdSays(files: ReadonlyMap<string, string>): Map<string, string[]> {
  const folder = mkdtempSync(join(tmpdir(), "fleet-findings-"));
  try {
    const paths = [...files].map(([name, text]) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    });
    const { stderr } = spawnSync(ANALYZE, ["verify", "--man=no", ...paths], { encoding: "utf8", timeout: 60_000 });
    const said = new Map([...files.keys()].map((name) => [name, new Map<number, string>()]));
    for (const [, name, line, message] of stderr.matchAll(/\/([^/:\s]+):(\d+): (.*)/g)) {
      const [, key, section] = /^Unknown key '(.*)' in section \[(.*)\]/.exec(message!) ?? [];
      // Of a systemd newer than the one here.
      if (key !== undefined && isKnownDirective(section!, key)) continue;
      const kind = MESSAGES.find(([pattern]) => pattern.test(message!))?.[1];
      if (kind !== undefined) said.get(name!)?.set(Number(line), kind);
    }
    return new Map([...said].map(([name, lines]) => [name, findingsOf([...lines])]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const SYSTEMDS = ["Unit", "Service", "Install"];

function weSay(name: string, text: string): string[] {
  const { file, diagnostics } = parseUnitFile(name, text);
  const ignored = new Set<number>();
  let section = "";
  for (const entry of file.entries) {
    if (entry.kind === "section") section = entry.name;
    // Where systemd reads nothing we still want assignments; [X-Fleet] is ours to read.
    if (entry.kind === "broken" && !SYSTEMDS.includes(section)) ignored.add(entry.line);
  }
  const grammar = diagnostics.filter(({ code, at }) => !(/^unit-no-/.test(code) && ignored.has(at?.line ?? 0)));
  const found = [
    ...grammar.map(({ code, at }) => [at?.line ?? 0, code] as const),
    ...lintDirectives(file, unitNameParts(parseUnitName(name)!).type).map(({ rule, at }) => [at.line!, rule] as const),
  ];
  const ends = new Map(file.entries.map((entry) => [entry.line, lastLineOf(entry.raw, entry.line)]));
  return findingsOf(found.map(([line, code]) => [ends.get(line) ?? line, KINDS[code] ?? code]));
}

/** We point to where a continued line begins, systemd to where it ends; one that meets the end of the file ends behind it. */
function lastLineOf(raw: string, first: number): number {
  const lines = raw.replace(/\n$/, "").split("\n");
  const written = lines.filter((one, index) => index === 0 || !/^[ \t]*[#;]/.test(one));
  const isOpen = (/\\*$/.exec(written.at(-1)!)?.[0].length ?? 0) % 2 === 1;
  return first + lines.length - 1 + (isOpen ? 1 : 0);
}

/** What stands before any section is told by us once, by systemd line by line. */
function findingsOf(found: readonly (readonly [number, string])[]): string[] {
  let outside = false;
  return [...found]
    .sort(([a], [b]) => a - b)
    .filter(([, kind]) => {
      const again = outside && kind === "outside";
      outside ||= kind === "outside";
      return !again;
    })
    .map(([line, kind]) => `${line} ${kind}`);
}

/** Lines whose values systemd takes as they are, and all the ways to go wrong around them. */
const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("Description=a", "Description = b c", " Description=x", "\tSyslogIdentifier=y", ""),
  },
  { weight: 5, arbitrary: fc.constantFrom("[Unit]", "[Service]", " [Service] ", "[Install]", "[X-Mine]", "[X-Fleet]") },
  { weight: 3, arbitrary: fc.constantFrom("[Sevice]", "[service]", "[Timer]", "[Own Notes]", "[Container]") },
  { weight: 1, arbitrary: fc.constantFrom("[Unit", "[Unit]x", "[]", "[", "[Unit] # why") },
  {
    weight: 5,
    arbitrary: fc.constantFrom("Descripton=a", "Restrat=no", "WantedBy=a.target", "X-Note=a", "SyslogIdentifer=a"),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom("Restart=no", "ConditionPathExists=/a", "OnCalendar=daily", "Nice=5", "Image=a"),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "CPUShares=5",
      "SysVStartPriority=1",
      "RequiresOverridable=x.service",
      "IgnoreOnSnapshot=yes",
    ),
  },
  { weight: 3, arbitrary: fc.constantFrom("text", "  text", "=", "=a", " = b", "Description", "a b c") },
  { weight: 4, arbitrary: fc.constantFrom("# a", " ; b", "#a \\", "#[Unit", "; A=b") },
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      "Description=a \\",
      "Descripton=a\\",
      "Description\\",
      "  b \\",
      "\\",
      "x\\\\",
      "Description=x\\ ",
    ),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1500, max: 2000 }).map((length) => `Description=${"x".repeat(length)}`) },
);
const text = fc
  .tuple(fc.constantFrom("", "[Service]\n", "[Unit]\n"), fc.array(line, { maxLength: 14 }), fc.constantFrom("", "\n"))
  .map(([first, lines, last]) => `${first}${lines.join("\n")}${last}`);

/** Texts in one process; it takes about 2 s. */
const FILES = 2_000;

describe("findings against systemd's own", { skip }, () => {
  test("of any unit text, the same lines for the same reasons", () => {
    const files = new Map(fc.sample(text, { numRuns: FILES, seed: 7 }).map((one, index) => [`t${index}.service`, one]));
    const said = systemdSays(files);
    const kinds = new Set([...said.values()].flat().map((finding) => finding.replace(/^\d+ /, "")));
    assert.deepEqual([...kinds].sort(), [...new Set(Object.values(KINDS))].sort(), "every kind is met");
    for (const [name, written] of files) {
      const theirs = upToHeader(said.get(name)!);
      const ours = upToHeader(weSay(name, written));
      assert.deepEqual(ours, theirs, JSON.stringify(written));
    }
  });

  test("of real units, none that systemd does not have, and none less", () => {
    const corpus = join(import.meta.dirname, "../../../shared/corpus");
    const folders = ["/usr/lib/systemd/system", "/lib/systemd/system", ...(existsSync(corpus) ? [corpus] : [])];
    const files = new Map(
      folders.filter(existsSync).flatMap((folder) =>
        readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && /\.(service|socket|timer|path|target)$/.test(entry.name))
          .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), "utf8")] as const),
      ),
    );
    assert.ok(files.size > 0, "there are some");
    const said = systemdSays(files);
    for (const [name, written] of files) assert.deepEqual(weSay(name, written), said.get(name), name);
  });
});
