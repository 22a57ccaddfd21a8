import { Flags } from "@oclif/core";
import { agentGrants, REGISTRY_ROLES, roleGrants } from "../../../codec/registry-roles.ts";
import { type MachineId, parseMachineId } from "../../../domain/names.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { addressFlags, BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { etcdctlScript, type NamedRole, rolesTable } from "../../views/registry-roles-text.ts";

const { cluster } = clusterFlags;

export default class RegistryRolesCommand extends BaseCommand {
  static override summary =
    "Print the commands that give each of fleet's programs its own user in etcd, and no more than it needs";
  static override description =
    "A shell script of etcdctl commands, on standard output: read it, then run it with root's certificate. Nothing is changed by printing it. Agents that go through engines need no user; for one that dials etcd itself give --machine. Says nothing of fleet's own registry, which has no users: its socket's owner is.";
  static override examples = ["fleet registry roles --cluster shop --format table"];
  static override flags = {
    directory: repositoryFlags.directory,
    manifest: repositoryFlags.manifest,
    ...addressFlags,
    cluster,
    machine: Flags.string({
      description: "The id of a machine whose agent dials etcd itself; may be given several times",
      multiple: true,
      default: [],
    }),
    format: Flags.string({
      description: "etcdctl: a script; table: who may do what, for people",
      options: ["etcdctl", "table"],
      default: "etcdctl",
    }),
    json: outputFlags.json,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(RegistryRolesCommand);
    const machines = flags.machine.map(machineOf);
    const composition = await this.compose(flags);
    try {
      const name = await clusterName(composition, flags.cluster);
      const keys = composition.keysOf(name);
      const roles: NamedRole[] = [
        ...REGISTRY_ROLES.flatMap((role) =>
          role === "agent" ? [] : [{ name: `fleet-${name}-${role}`, role, grants: roleGrants(keys, role) }],
        ),
        ...machines.map((machine) => ({
          name: `fleet-${name}-agent-${machine}`,
          role: "agent" as const,
          grants: agentGrants(keys, machine),
        })),
      ];
      if (flags.json) return this.printJson({ cluster: name, roles });
      this.print(flags.format === "table" ? rolesTable(roles) : etcdctlScript(name, roles));
    } finally {
      await composition.close();
    }
  }
}

function machineOf(text: string): MachineId {
  const machine = parseMachineId(text);
  if (machine !== null) return machine;
  throw new OperationError("bad-machine-id", `${text} is not a machine's id`, {
    next: "give the 32 characters of /etc/machine-id there, or as fleet list-machines --full shows them",
  });
}
