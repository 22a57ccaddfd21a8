import { printSelector } from "../../domain/cluster/selector.ts";
import type { SourceLocation } from "../../domain/diagnostic.ts";
import type { Expectation } from "../../domain/testing/expectation.ts";
import type { Failure } from "../../domain/testing/judge-test.ts";
import type { TestedFile } from "../../usecases/test-commit.ts";
import { describePlacement, describeReject } from "./describe-reason.ts";
import { diagnosticCounts, diagnosticsText } from "./diagnostics-text.ts";
import { printable } from "./printable.ts";
import { describeStaysDown } from "./what-if-text.ts";

/** One line a file, one for each expectation that failed with what is instead, and a last one that counts. */
export function testsText(files: readonly TestedFile[]): string {
  const judged = files.flatMap((file) => file.judged);
  const failed = judged.filter(({ failures }) => failures.length > 0).length;
  const broken = files.filter(({ diagnostics }) => diagnostics.length > 0).length;
  const unread = broken === 0 ? "" : `, ${broken} ${broken === 1 ? "file" : "files"} not read`;
  return [...files.flatMap(fileLines), "", `${judged.length - failed} as expected, ${failed} failed${unread}`].join(
    "\n",
  );
}

/** Whether everything is as expected, and all of it was read. */
export function allAsExpected(files: readonly TestedFile[]): boolean {
  return files.every(
    ({ diagnostics, judged }) => diagnostics.length === 0 && judged.every(({ failures }) => failures.length === 0),
  );
}

function fileLines({ path, diagnostics, judged }: TestedFile): string[] {
  if (diagnostics.length > 0) {
    const findings = diagnosticsText(diagnostics).split("\n").slice(0, -1);
    return [printable(`FAIL ${path}: ${diagnosticCounts(diagnostics)}`), ...findings.map((line) => `  ${line}`)];
  }
  const failing = judged.filter(({ failures }) => failures.length > 0);
  const count = `${judged.length - failing.length} of ${judged.length} as expected`;
  return [
    printable(`${failing.length === 0 ? "ok  " : "FAIL"} ${path}: ${count}`),
    ...failing.flatMap(({ expectation, failures }) => [
      printable(`  ${place(expectation.at)}: expected ${describeExpectation(expectation)}`),
      ...failures.slice(0, FAILURES_MAX).map((failure) => printable(`    ${describeFailure(failure)}`)),
      ...(failures.length > FAILURES_MAX ? [`    and ${failures.length - FAILURES_MAX} more`] : []),
    ]),
  ];
}

/** A screen's part; `--json` has all of them. */
const FAILURES_MAX = 10;

function place({ path, line, column }: SourceLocation): string {
  return [path, line, column].filter((part) => part !== undefined).join(":");
}

export function describeExpectation(expectation: Expectation): string {
  const units = "units" in expectation ? expectation.units.join(", ") : "";
  switch (expectation.kind) {
    case "placed": {
      const on = expectation.on === null ? "" : ` on ${printSelector(expectation.on)}`;
      const notOn = expectation.notOn === null ? "" : ` not on ${printSelector(expectation.notOn)}`;
      return `${units} placed${on}${notOn}`;
    }
    case "apart":
      return `${units} on machines of their own`;
    case "together":
      return `${units} on one machine`;
    case "survives": {
      const lost = expectation.lost === null ? "any one machine" : printSelector(expectation.lost);
      const except = expectation.except.length === 0 ? "" : `, but for ${expectation.except.join(", ")}`;
      const atLeast = expectation.atLeast.map(([set, count]) => `, with at least ${count} of ${set} up`).join("");
      return `to survive the loss of ${lost}${except}${atLeast}`;
    }
    case "unplaceable":
      return `${units} to fit nowhere`;
    case "only":
      return `only ${units} on ${printSelector(expectation.on)}`;
  }
}

export function describeFailure(failure: Failure): string {
  switch (failure.code) {
    case "no-unit":
      return `no unit matches ${failure.pattern}${failure.meant === null ? "" : `; did you mean ${failure.meant}?`}`;
    case "no-machine":
      return `no machine matches ${failure.wanted}`;
    case "is-inactive":
      return `${failure.unit} is inactive: nothing places it`;
    case "is-nowhere": {
      const because = failure.because.map(
        ({ reason, count, examples }) => `${examples.join(", ")}: ${describeReject(reason, count)}`,
      );
      return `${failure.unit} is nowhere: ${because.join("; ") || "there is no machine; give some under machines:"}`;
    }
    case "is-on":
      return `${failure.unit} is on ${failure.machine}: ${describePlacement(failure.placed, new Map())}`;
    case "on-one-machine":
      return `${failure.units.join(" and ")} are both on ${failure.machine}`;
    case "on-two-machines":
      return `${failure.units[0]} is on ${failure.machines[0]}, ${failure.units[1]} on ${failure.machines[1]}`;
    case "stays-down":
      return `lose ${failure.lost.join(", ")}: ${failure.unit} stays down: ${describeStaysDown(failure.because)}`;
    case "too-few":
      return `lose ${failure.lost.join(", ")}: ${failure.up} of ${failure.set} up, at least ${failure.atLeast} expected`;
  }
}
