import type { SecretReach, SecretReader } from "../../domain/secret/secret-reach.ts";
import { counted } from "./counted.ts";

/** Which machines read which secrets, one paragraph each. */
export function secretsText(secrets: readonly SecretReach[]): string {
  if (secrets.length === 0) return "no unit names a secret";
  return secrets.map(secretText).join("\n");
}

function secretText({ name, path, problem, units, machines, strangers, others }: SecretReach): string {
  const named = (state: SecretReader["state"]) =>
    machines.filter((one) => one.state === state).map((one) => one.machine);
  const [reads, leftOut, noKey] = [named("reads"), named("left-out"), named("no-key")];
  const beside = [
    ...(others === 0 ? [] : [peopleText(others)]),
    ...(strangers.length === 0 ? [] : [`${counted(strangers.length, "key")} of no machine that needs it`]),
  ];
  return [
    `${name}  ${path}`,
    `  used by      ${units.join(", ")}`,
    ...(problem === null ? [] : [`  not readable ${problem}`]),
    ...(machines.length === 0 ? ["  read by      no machine the manifest lists may run them"] : []),
    ...(reads.length === 0 ? [] : [`  read by      ${reads.join(", ")}`]),
    ...(leftOut.length === 0 || problem !== null ? [] : [`  not for      ${leftOut.join(", ")}`]),
    ...(noKey.length === 0 ? [] : [`  without key: ${noKey.join(", ")}`]),
    ...(beside.length === 0 ? [] : [`  also for     ${beside.join(", ")}`]),
  ].join("\n");
}

/** What a file that was written is, and what to do with it. */
export function secretWritten({ name, path, machines }: SecretReach, people: number): string {
  const keyed = machines.filter(({ key }) => key !== null).map(({ machine }) => machine);
  const beside = people === 0 ? "" : ` and ${peopleText(people)}`;
  return `${path}: ${name} for ${keyed.length === 0 ? "no machine" : keyed.join(", ")}${beside}`;
}

function peopleText(count: number): string {
  return count === 1 ? "1 person" : `${count} people`;
}

/** Who may come to need it and cannot be given it yet. */
export function withoutKeyText({ machines }: SecretReach): string | null {
  const names = machines.filter(({ key }) => key === null).map(({ machine }) => machine);
  if (names.length === 0) return null;
  return `not for ${names.join(", ")}: the manifest has no key: of it; commit the stanza that fleet join prints, then fleet secret rotate`;
}
