import { systemClock } from "../../adapters/system-clock.ts";
import { examineMachine } from "../../usecases/examine-machine.ts";
import { BaseCommand, outputFlags } from "../base-command.ts";
import { daemonFlags } from "../daemon-flags.ts";
import { doctorProbes } from "../doctor-probes.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { doctorText } from "../views/doctor-text.ts";

const { cluster, registry, source, branch, standalone, "state-directory": stateDirectory } = daemonFlags;
const { "etcd-cafile": authority, "etcd-certfile": certificate, "etcd-keyfile": key } = daemonFlags;

export default class DoctorCommand extends BaseCommand {
  static override summary = "Name what is wrong on this machine, and the next step for each";
  static override description =
    "Looks at systemd, the disk, fleet's own units, the agent's memory, files that are in its units' way, the registry, the cluster, the source and podman, all at once, none for longer than some seconds, and changes nothing. Ends with 1 where there are errors; warnings are 0. Reads /etc/fleet/fleet.conf as the daemons do; root sees everything.";
  static override examples = ["fleet doctor"];
  static override flags = {
    cluster,
    registry,
    source,
    branch,
    standalone,
    "etcd-cafile": authority,
    "etcd-certfile": certificate,
    "etcd-keyfile": key,
    "state-directory": stateDirectory,
    ...outputFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(DoctorCommand);
    const { probes, close } = await doctorProbes(flags);
    const areas = await examineMachine(probes, systemClock, flags.cluster);
    if (flags.json) this.printJson({ areas });
    else this.print(doctorText(areas));
    await close();
    if (areas.some(({ severity }) => severity === "error")) throw new SilentExit(EXIT.error);
  }
}
