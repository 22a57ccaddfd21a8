import type { Machine } from "../domain/cluster/machine.ts";
import { parseSelector, printSelector, type Selector } from "../domain/cluster/selector.ts";
import type { MachineId } from "../domain/names.ts";
import { machinesMeant } from "../domain/plan/what-if.ts";
import { OperationError } from "../ports/operation-error.ts";

/** A screenful; the error is for somebody who mistyped one. */
const NAMES_MAX = 20;

/** The machines these selectors mean. One that means none, or cannot be read, is an error that names the machines there are. */
export function lostMachines(selectors: readonly string[], machines: readonly Machine[]): readonly MachineId[] {
  const meant = machinesMeant(
    selectors.map((text) => read(text, machines)),
    machines,
  );
  if (meant.unmatched.length === 0) return meant.machines;
  throw new OperationError("no-such-machine", `no machine matches ${meant.unmatched.map(printSelector).join(", ")}`, {
    next: whatThereIs(machines),
  });
}

function read(text: string, machines: readonly Machine[]): Selector {
  const selector = parseSelector(text);
  if (!("problem" in selector)) return selector;
  throw new OperationError("bad-selector", `--without has ${selector.problem}`, {
    next: `give a machine's name or a label such as zone=a; ${whatThereIs(machines)}`,
  });
}

function whatThereIs(machines: readonly Machine[]): string {
  if (machines.length === 0) return "this cluster has no machine yet: what would be lost needs one";
  const names = machines.map(({ name }) => name);
  const more = names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : "";
  return `there are ${names.slice(0, NAMES_MAX).join(", ")}${more}`;
}
