import { systemClock } from "../../../adapters/system-clock.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import type { RegistryProbes } from "../../../ports/registry-probes.ts";
import { checkRegistry } from "../../../usecases/check-registry.ts";
import { BaseCommand, outputFlags } from "../../base-command.ts";
import { daemonFlags } from "../../daemon-flags.ts";
import { doctorProbes } from "../../doctor-probes.ts";
import { EXIT, SilentExit } from "../../exit-codes.ts";
import { tlsOf } from "../../registry-flags.ts";
import { doctorText } from "../../views/doctor-text.ts";

const { registry, "state-directory": stateDirectory } = daemonFlags;
const { "etcd-cafile": authority, "etcd-certfile": certificate, "etcd-keyfile": key } = daemonFlags;

export default class RegistryCheckCommand extends BaseCommand {
  static override summary =
    "Say what is wrong with the registry: versions with known bugs, members, quota, certificates, who may use it";
  static override description =
    "Looks at each endpoint the address names, at the same time and for some seconds at most, and changes nothing. Of fleet's own registry it says what applies to it. Ends with 1 where there are errors; warnings are 0. Reads /etc/fleet/fleet.conf as the daemons do. An etcd sees one failed login of fleet-registry-check: so it tells whether it has users.";
  static override examples = ["fleet registry check"];
  static override flags = {
    registry,
    "etcd-cafile": authority,
    "etcd-certfile": certificate,
    "etcd-keyfile": key,
    "state-directory": stateDirectory,
    ...outputFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(RegistryCheckCommand);
    const { probes, close } = await doctorProbes(flags);
    try {
      const link = await probes.registry();
      const look = await probesOf(link?.address ?? null, flags);
      const areas = await checkRegistry(link, look, systemClock).finally(() => look.close());
      if (flags.json) this.printJson({ areas });
      else this.print(doctorText(areas, "nothing is wrong with this registry"));
      if (areas.some(({ severity }) => severity === "error")) throw new SilentExit(EXIT.error);
    } finally {
      await close();
    }
  }
}

/** Through an engine nobody sees more of the registry than that it answers. */
async function probesOf(
  address: string | null,
  flags: Parameters<typeof tlsOf>[0],
): Promise<RegistryProbes & { readonly close: () => void }> {
  if (address === null || !/^(etcds?|unix):/.test(address)) return NOTHING_TO_SEE;
  const [{ parseRegistryAddress }, { etcdProbes }] = await Promise.all([
    import("../../../adapters/etcd/registry-address.ts"),
    import("../../../adapters/etcd/etcd-probes.ts"),
  ]);
  return etcdProbes(parseRegistryAddress(address), tlsOf(flags), systemClock);
}

const elsewhere = async () => {
  throw new OperationError("seen-elsewhere", "engines stand between: run fleet registry check where they dial it");
};
const NOTHING_TO_SEE = {
  ...{ endpoints: elsewhere, store: elsewhere, access: elsewhere },
  certificates: async () => [],
  close: () => undefined,
};
