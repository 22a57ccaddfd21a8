/** The repository checks itself: rules that people would otherwise have to remember in review. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { commandReference } from "../scripts/make-command-reference.ts";
import { makeSchemas } from "../scripts/make-schemas.ts";
import { readManifest } from "../src/codec/manifest/read-manifest.ts";
import { FINDING_CODES, REGISTRY_FINDING_CODES } from "../src/domain/doctor/finding.ts";
import { FLEET_VERSION } from "../src/domain/version/fleet-version.ts";
import { diagnosticCodes, documentedCodes } from "./tidy/diagnostic-codes.ts";
import { TESTED_THROUGH, UNTESTED } from "./tidy/domain-tests.ts";
import { documentedRows, SOURCE_ROWS, testsByRow } from "./tidy/fault-rows.ts";
import { reasonCodes } from "./tidy/reason-codes.ts";
import { importClosure, importsOf, root, textOf, trackedFiles, withoutComments } from "./tidy/sources.ts";
import { BANNED_FROM_DOMAIN, ENVIRONMENT_READERS, ROOMS } from "./tidy/walls.ts";

const files = trackedFiles();
const typescript = files.filter((path) => path.endsWith(".ts"));
/** What runs in production; tests beside it may import anything. */
const sources = typescript.filter((path) => path.startsWith("src/") && !path.endsWith(".test.ts"));
const pages = files.filter((path) => path.endsWith(".md"));

/** Past this a file holds a second idea; the longest good ones have 300. Tables of cases may be longer. */
const LINES_MAX = 350;
const TEST_LINES_MAX = 550;
/** Longer files, and why splitting them would not help a reader. */
const LONG_FILES: Readonly<Record<string, string>> = {};

/** None of these, or a sentence for each. */
function nothing(problems: readonly string[]): void {
  assert.deepEqual(problems, [], `\n  ${problems.join("\n  ")}\n`);
}

test("imports point inwards: every room of src imports only what its wall lets through", () => {
  nothing(
    sources.flatMap((path) => {
      const room = ROOMS.filter(({ folder }) => path.startsWith(`${folder}/`)).sort(
        (a, b) => b.folder.length - a.folder.length,
      )[0];
      if (room === undefined) return [`${path} is in no room that test/tidy/walls.ts knows`];
      return importsOf(path)
        .filter((target) => !maySee(room, target))
        .map((target) => `${path} must not import ${target}`);
    }),
  );
});

function maySee(room: (typeof ROOMS)[number], target: string): boolean {
  if (target.startsWith("node:")) return room.packages.includes("node:") || room.packages.includes(target);
  if (!target.startsWith("src/")) return room.packages.includes(target);
  return [room.folder, ...room.may].some((allowed) => target === allowed || target.startsWith(`${allowed}/`));
}

test("the domain knows no time, no chance, no process, no waiting and no outside", () => {
  nothing(
    sources
      .filter((path) => path.startsWith("src/domain/"))
      .flatMap((path) => {
        const lines = withoutComments(textOf(path)).split("\n");
        return Object.entries(BANNED_FROM_DOMAIN).flatMap(([what, pattern]) =>
          lines.flatMap((line, index) =>
            pattern.test(line) ? [`${path}:${index + 1} knows ${what}: ${line.trim()}`] : [],
          ),
        );
      }),
  );
});

test("only the composition roots and the lab read the environment", () => {
  nothing(
    sources
      .filter((path) => !ENVIRONMENT_READERS.some((folder) => path.startsWith(folder)))
      .filter((path) => withoutComments(textOf(path)).includes("process.env")),
  );
});

test("default exports are oclif commands, and nothing prints by console", () => {
  nothing(
    typescript.flatMap((path) => {
      const text = withoutComments(textOf(path));
      const problems: string[] = [];
      if (/^export default\b/m.test(text) && !path.startsWith("src/cli/commands/"))
        problems.push(`${path} has a default export`);
      if (/\bconsole\.(log|error|warn|debug)\(/.test(text) && path.startsWith("src/"))
        problems.push(`${path} prints by console`);
      return problems;
    }),
  );
});

test("nothing is left over: no test marked only, no note to do it later", () => {
  const marks = new RegExp(
    ["\\b(test|it|describe|suite)\\.on", "ly\\(|\\bTO", "DO\\b|\\bFIX", "ME\\b|\\bXX", "X\\b"].join(""),
  );
  nothing(
    typescript.flatMap((path) =>
      textOf(path)
        .split("\n")
        .flatMap((line, index) => (marks.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
    ),
  );
});

test("every file of the domain that decides something has a test", () => {
  const through = new Map(
    Object.entries(TESTED_THROUGH).flatMap(([by, held]) => held.map((path) => [path, by] as const)),
  );
  const closures = new Map(Object.keys(TESTED_THROUGH).map((by) => [by, importClosure(by)]));
  nothing(
    sources
      .filter((path) => path.startsWith("src/domain/") && /^export (function|class)\b/m.test(textOf(path)))
      .filter((path) => !existsSync(join(root, path.replace(/\.ts$/, ".test.ts"))) && UNTESTED[path] === undefined)
      .filter((path) => closures.get(through.get(path) ?? "")?.has(path) !== true)
      .map((path) => `${path} has no test beside it and none in test/tidy/domain-tests.ts that reaches it`),
  );
  const listed = [...through.keys(), ...Object.keys(UNTESTED)];
  nothing(
    listed
      .filter((path) => !existsSync(join(root, path)) || existsSync(join(root, path.replace(/\.ts$/, ".test.ts"))))
      .map((path) => `${path} is listed in test/tidy/domain-tests.ts and is gone or has a test of its own by now`),
  );
});

test("no folder is named after nothing", () => {
  nothing(files.filter((path) => /(^|\/)(utils?|helpers?|common|lib|misc)\//.test(path) && !path.includes("/corpus/")));
});

test("a file is one idea: long ones are listed with a reason", () => {
  const limitOf = (path: string) => (/^test\/|\.test\.ts$/.test(path) ? TEST_LINES_MAX : LINES_MAX);
  const long = typescript.filter((path) => textOf(path).split("\n").length - 1 > limitOf(path));
  nothing(
    long.filter((path) => LONG_FILES[path] === undefined).map((path) => `${path} has more than ${limitOf(path)} lines`),
  );
  nothing(
    Object.keys(LONG_FILES)
      .filter((path) => !long.includes(path))
      .map((path) => `${path} is not long any more`),
  );
});

test("docs/diagnostics.md names every diagnostic code, and no other", () => {
  const [made, told] = [diagnosticCodes(), documentedCodes("docs/diagnostics.md", "Diagnostics")];
  assert.ok(made.length > 50, "the sources' codes are found");
  nothing(made.filter((code) => !told.includes(code)).map((code) => `${code} is not documented`));
  nothing(told.filter((code) => !made.includes(code)).map((code) => `${code} is documented and no longer made`));
  nothing(told.filter((code, index) => told[index - 1] === code).map((code) => `${code} is documented twice`));
});

test("docs/diagnostics.md names every reason code, and no other", () => {
  const [given, told] = [reasonCodes(), documentedCodes("docs/diagnostics.md", "Reasons")];
  assert.ok(given.length > 40, "the sources' codes are found");
  nothing(given.filter((code) => !told.includes(code)).map((code) => `the reason ${code} is not documented`));
  nothing(
    told.filter((code) => !given.includes(code)).map((code) => `the reason ${code} is documented and no longer given`),
  );
  nothing(told.filter((code, index) => told[index - 1] === code).map((code) => `${code} is documented twice`));
});

test("docs/diagnostics.md names every finding of fleet doctor, and no other", () => {
  assert.deepEqual(documentedCodes("docs/diagnostics.md", "Findings"), FINDING_CODES);
  assert.deepEqual(documentedCodes("docs/diagnostics.md", "Findings about a registry"), REGISTRY_FINDING_CODES);
});

test("generated files are fresh: tools/node/run scripts/make-schemas.ts, scripts/make-command-reference.ts", async () => {
  for (const [path, text] of makeSchemas()) assert.equal(textOf(path), text, path);
  const page = textOf("docs/commands.md");
  assert.equal(page, await commandReference(page), "docs/commands.md");
});

test("the manifests that our pages show are accepted", () => {
  for (const page of ["README.md", "docs/manifest.md"]) {
    const shown = [...textOf(page).matchAll(/^```yaml\n([^`]*)^```/gm)];
    assert.ok(shown.length > 0, `${page} shows one`);
    for (const [, manifest] of shown) assert.deepEqual(readManifest(page, manifest!).diagnostics, []);
  }
});

test("the README says whose heir this is on line 3, and has both commands on its first screen", () => {
  const lines = textOf("README.md").split("\n");
  assert.match(lines[2] ?? "", /CoreOS fleet.*Fleet DM.*Rancher Fleet/);
  const first = lines.slice(0, 24).join("\n");
  assert.match(first, /^npm ci && npm start\b/m);
  assert.match(first, /^npm ci && npm test\b/m);
  assert.match(textOf(".ci/run"), /\n(exec )?npm ci && npm test\n$/);
});

test("ARCHITECTURE.md is a map and not an atlas: at most 250 lines", () => {
  assert.ok(textOf("ARCHITECTURE.md").trimEnd().split("\n").length <= 250);
});

test("every link between our pages leads somewhere", () => {
  nothing(
    pages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, target]) => normalize(join(dirname(page), target!)))
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${page} leads to ${target}, which is not there`),
    ),
  );
});

test("paths of our own sources named in our pages exist", () => {
  nothing(
    pages.flatMap((page) =>
      [...textOf(page).matchAll(/`((?:src|test|scripts|docs|examples|bench|schemas|tools|bin)\/[\w@./-]*\w)\/?`/g)]
        .map(([, target]) => target!)
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${page} names ${target}, which is not there`),
    ),
  );
});

test("each fault of a source has tests of its number, and test/TRACK_RECORD.md says where", () => {
  const [named, told] = [testsByRow(), documentedRows("test/TRACK_RECORD.md")];
  nothing(SOURCE_ROWS.filter((row) => !named.has(row)).map((row) => `no test is named by row ${row}`));
  for (const row of SOURCE_ROWS) assert.deepEqual(told.get(row), named.get(row), `row ${row}`);
});

test("decisions are numbered from 0001 without gaps", () => {
  const numbers = files.filter((path) => path.startsWith("docs/decisions/")).map((path) => path.slice(15, 19));
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => String(index + 1).padStart(4, "0")),
  );
});

test("the version that manifests are held against is the package's", () => {
  assert.equal(FLEET_VERSION, (JSON.parse(textOf("package.json")) as { version: string }).version);
});

test("every runtime dependency is argued for in a decision", () => {
  const { dependencies } = JSON.parse(textOf("package.json")) as { dependencies: Record<string, string> };
  const page = textOf("docs/decisions/0007-runtime-dependencies.md");
  nothing(Object.keys(dependencies).filter((name) => !page.includes(`| \`${name}\` |`)));
});

test("each row of test/MISSION.md names tests that are there", () => {
  const rows = textOf("test/MISSION.md")
    .split("\n")
    .slice(6)
    .filter((line) => line !== "");
  assert.ok(rows.length > 20);
  const tracked = new Set(files);
  nothing(
    rows.flatMap((row) => {
      const named = [
        ...row
          .split(" | ")
          .at(-1)!
          .matchAll(/`([^`]+\.test\.ts)`/g),
      ].map(([, path]) => path!);
      if (named.length === 0) return [`no test: ${row}`];
      return named
        .filter((path) => !tracked.has(path))
        .map((path) => `test/MISSION.md names ${path}, which is not there`);
    }),
  );
});

test("every journey under docs/journeys is run by a test", () => {
  const journeys = files.filter((path) => /^docs\/journeys\/.*\.md$/.test(path));
  assert.ok(journeys.length > 0);
  nothing(journeys.filter((path) => !files.includes(path.replace(/^docs\/(.*)\.md$/, "test/$1.test.ts"))));
});

test("no file knows the machine it was written on, nor where its packages came from", () => {
  const marks = new RegExp(
    [`(^|[\\s"'\`=(:])/wo`, `rk/|npm`, `js\\.org|arti`, `factory|"resol`, `ved": "http`].join(""),
    "i",
  );
  nothing(
    files
      .filter((path) => !/\.(png|gz|descriptor\.json)$/.test(path))
      .flatMap((path) => {
        const line = textOf(path)
          .split("\n")
          .findIndex((text) => marks.test(text));
        return line < 0 ? [] : [`${path}:${line + 1}`];
      }),
  );
});
