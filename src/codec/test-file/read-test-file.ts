import { parseSelector, type Selector } from "../../domain/cluster/selector.ts";
import type { Diagnostic } from "../../domain/diagnostic.ts";
import { invariant } from "../../domain/invariant.ts";
import type { Expectation, GivenMachine, TestFile } from "../../domain/testing/expectation.ts";
import { parseCpu, parseMemory } from "../../domain/unit/resource-requests.ts";
import { manifestProblems } from "../manifest/manifest-problems.ts";
import { readYamlTree, type YamlTree } from "../manifest/yaml-tree.ts";
import { type ExpectationTree, SUBJECTS, type TestFileTree, testFileSchema } from "./test-file-schema.ts";

/** A thousand machines and as many expectations. */
export const TEST_FILE_BYTES_MAX = 256 * 1024;

/** Reads one file of `tests/`. Every problem at once, with its line and column; null where there is one. */
export function readTestFile(
  path: string,
  content: Uint8Array | string,
): { readonly file: TestFile | null; readonly diagnostics: readonly Diagnostic[] } {
  const text = typeof content === "string" ? content : new TextDecoder().decode(content);
  const { tree, diagnostics } = readYamlTree(path, text);
  if (tree === null) return { file: null, diagnostics: diagnostics.map(ofTestFile) };
  const read = testFileSchema.safeParse(tree.root);
  if (read.success) return { file: fileFrom(path, read.data, tree), diagnostics: [] };
  const problems = read.error.issues
    .flatMap((issue) => manifestProblems(testFileSchema, tree, issue))
    .sort((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0));
  return { file: null, diagnostics: problems.map(ofTestFile) };
}

/** The manifest's reader found it; in a test it refuses no commit, and only the test has to be corrected. */
function ofTestFile({ code, next, ...rest }: Diagnostic): Diagnostic {
  return {
    ...rest,
    code: "test-file",
    severity: "error",
    ...(next === undefined || code === "manifest-yaml" ? {} : { next }),
  };
}

function fileFrom(path: string, { machines, expect }: TestFileTree, tree: YamlTree): TestFile {
  return {
    path,
    machines: machines === undefined ? null : machinesFrom(machines),
    expectations: expect.map((expectation, index) => expectationFrom(expectation, index, tree)),
  };
}

function machinesFrom(machines: NonNullable<TestFileTree["machines"]>): readonly GivenMachine[] {
  const list: readonly (readonly [string, Exclude<typeof machines, string>[string]])[] =
    typeof machines === "string"
      ? Array.from({ length: Number(machines) }, (_, index) => [`m${index + 1}`, null])
      : Object.entries(machines);
  return list.map(([name, said]) => ({
    name,
    metadata: said?.metadata ?? {},
    absent: said?.absent === "true",
    drain: said?.drain === "true",
    cordon: said?.cordon === "true",
    ...capacityFrom(said?.cpu, said?.memory),
  }));
}

/** Of what is not said there is more than anybody asks for. */
function capacityFrom(cpu: string | undefined, memory: string | undefined): Pick<GivenMachine, "capacity"> {
  if (cpu === undefined && memory === undefined) return {};
  const amount = (said: number | null) => said ?? Number.MAX_SAFE_INTEGER;
  return { capacity: { cpuMilli: amount(parseCpu(cpu ?? "")), memoryBytes: amount(parseMemory(memory ?? "")) } };
}

function expectationFrom(given: ExpectationTree, index: number, tree: YamlTree): Expectation {
  const kind = SUBJECTS.find((subject) => given[subject] !== undefined);
  invariant(kind !== undefined, "the schema asks for one subject");
  const at = tree.valueAt(["expect", index]);
  switch (kind) {
    case "placed":
      return { at, kind, units: list(given.placed), on: selectorFrom(given.on), notOn: selectorFrom(given.notOn) };
    case "survives":
      return {
        at,
        kind,
        lost: given.survives === "any-machine" ? null : selectorFrom(given.survives),
        except: list(given.except),
        atLeast: Object.entries(given.atLeast ?? {}).map(([set, count]) => [set, Number(count)] as const),
      };
    case "only":
      return { at, kind, units: list(given.only), on: selectorFrom(given.on)! };
    default:
      return { at, kind, units: list(given[kind]) };
  }
}

function list(globs: string | readonly string[] | undefined): readonly string[] {
  return globs === undefined ? [] : typeof globs === "string" ? [globs] : globs;
}

function selectorFrom(text: string | undefined): Selector | null {
  if (text === undefined) return null;
  const selector = parseSelector(text);
  invariant(!("problem" in selector), "the schema accepts only selectors");
  return selector;
}
