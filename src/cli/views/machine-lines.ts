import type { Member } from "../../domain/cluster/cluster-snapshot.ts";
import type { RefusedMachine } from "../../usecases/read-claims.ts";

/** Machines that cannot be told apart: two of one id, and two of one name. */
export function doubleLines(members: readonly Member[], refused: readonly RefusedMachine[]): string[] {
  const byId = new Map(members.map((member) => [member.id, member]));
  const named = Map.groupBy(members, ({ name }) => name);
  return [
    ...refused.map(({ machine, name, address, bootId }) => {
      const first = byId.get(machine);
      const holder =
        first === undefined ? "another machine" : `${first.name} at ${first.address} (boot ${first.bootId})`;
      return `${holder} and ${name} at ${address} (boot ${bootId}) have one machine id, ${machine}: the second is refused and does nothing; on it: rm /etc/machine-id, systemd-machine-id-setup, then restart fleet-agent`;
    }),
    ...[...named]
      .filter(([, some]) => some.length > 1)
      .map(
        ([name, some]) =>
          `${some.length} machines call themselves ${name}: ${some.map(({ id }) => id).join(", ")}; only one goes by it, unless the commit names them: machines: { NAME: { id: … } }`,
      ),
  ];
}

/** Machines that have units or a set and whose own record is gone: nobody removed them. */
export function unrecordedLines(members: readonly Member[]): string[] {
  return members
    .filter(({ unrecorded }) => unrecorded === true)
    .map(
      ({ id }) =>
        `the record of machine ${id} is gone from the registry, and what it has stays its own: its agent writes it again; if the machine will not come back: fleet machine remove ${id}`,
    );
}
