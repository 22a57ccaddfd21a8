import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { ListedMachine } from "./judge-caller.ts";

/** The machines a commit lists by name, each with the key it lists for its agent. A selector lists nobody. */
export function listedMachines({ machines }: Pick<ClusterSpec, "machines">): ListedMachine[] {
  return machines
    .filter(({ match }) => match === null)
    .map(({ key: name, id, machineKey }) => ({ name, machine: id, key: machineKey ?? null }));
}
