import type { AdoptedMachine, Choice } from "../../domain/fencing/choose-adopted.ts";
import type { Remains } from "../../usecases/adopt-registry.ts";
import { counted } from "./counted.ts";
import { printable } from "./printable.ts";

/** What adopting would do, before anybody is asked. */
export function adoptionText(choice: Extract<Choice, { kind: "adopt" }>, { snapshot }: Remains): string {
  const { identity, release, isReleasePutBack, machines } = choice;
  const { identity: shown, release: before } = snapshot;
  const lines = [
    `${identity.name} (${identity.id.slice(0, 8)})`,
    `  the registry shows: ${shown === null ? "no cluster" : `epoch ${shown.epoch}`}, ${before === null ? "no release" : `release ${before.seq}, commit ${before.commit.slice(0, 7)}`}`,
    ...machines.map((machine) => `  ${machineText(machine)}`),
    "",
    "adopting",
    `  raises the epoch to ${identity.epoch}: no daemon goes back to an earlier life of this registry`,
    ...(isReleasePutBack && release !== null
      ? [`  puts back release ${release.seq}, commit ${release.commit.slice(0, 7)}, the last one a machine has taken`]
      : []),
    "  then the engine takes over what each machine says it runs; nothing is stopped or started for it",
    "  units no machine tells of are placed once the lease and the grace of machines that are away are over",
  ];
  return lines.map(printable).join("\n");
}

function machineText({ name, present, told }: AdoptedMachine): string {
  const where = present ? "" : ", absent";
  if (told === null) return `${name} has told nothing of its own${where}`;
  return `${name} keeps ${counted(told.units, "unit")} of release ${told.seq}${where}`;
}
