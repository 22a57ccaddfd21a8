import { Flags } from "@oclif/core";
import { systemClock } from "../../adapters/system-clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { AGENT_FOLDERS, AgentFiles } from "../../usecases/agent-files.ts";
import { knownCluster } from "../../usecases/known-cluster.ts";
import { leavePath, leaveUnits } from "../../usecases/leave-units.ts";
import { askYes } from "../ask-yes.ts";
import { addressFlags, BaseCommand, outputFlags } from "../base-command.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { forgetCluster, joinRecord, removeMembership, withConf } from "../leaving.ts";
import { machineId } from "../machine-id.ts";
import { leavingText, leftText, type MembershipLeft } from "../views/leave-text.ts";

/** What acts for the cluster on a machine; the registry is everybody's, and stays. */
const SERVICES = ["fleet-reboot-guard.service", "fleet-agent.service", "fleet-restore.service", "fleet-engine.service"];

export default class LeaveCommand extends BaseCommand {
  static override summary = "Take this machine out of its cluster";
  static override description =
    "Stops fleet here and what it runs here, removes the machine's records where the registry can be reached, and forgets the cluster, its keys and what joining wrote into fleet.conf; the key of this machine goes, too. With --keep-units everything runs on, from files in /etc/systemd/system, and nothing restarts. Units that were taken over go back to their owner either way, and run on. What was cut short is finished by the same command. The line in git is yours to remove.";
  static override examples = ["fleet leave --yes"];
  static override flags = {
    ...outputFlags,
    "keep-units": Flags.boolean({ description: "Leave the units running, without fleet" }),
    yes: Flags.boolean({ description: "Do not ask" }),
    ...addressFlags,
    "state-directory": Flags.string({
      description: "What must survive a reboot",
      env: "FLEET_STATE_DIRECTORY",
      default: "/var/lib/fleet",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(LeaveCommand);
    if (process.geteuid?.() !== 0) {
      const next = `sudo ${[process.execPath, ...process.argv.slice(1)].join(" ")}`;
      throw new OperationError("not-root", "leaving stops what this machine runs, which only root may", { next });
    }
    const [{ DiskFileStore }, { SystemdUnitManager }, { Systemctl }] = await Promise.all([
      import("../../adapters/files/disk-file-store.ts"),
      import("../../adapters/systemd/systemd-unit-manager.ts"),
      import("../../adapters/systemd/systemctl.ts"),
    ]);
    const [disk, keep, stateFolder] = [new DiskFileStore(), flags["keep-units"], flags["state-directory"]];
    const files = new AgentFiles(disk, { ...AGENT_FOLDERS, state: `${stateFolder}/agent` });
    const known = await knownCluster(disk, stateFolder);
    const owned = [...(await files.readOwned()).keys()].sort();
    if (!flags.json) this.print(leavingText(known?.name ?? null, owned, keep));
    await approve(flags.yes, known?.name ?? "its cluster");
    const control = new Systemctl();
    await control.disableAndStop(SERVICES);
    const manager = new SystemdUnitManager({ clock: systemClock });
    const left = await leaveUnits(keep, { manager, control, disk, files, clock: systemClock }).finally(() =>
      manager.close(),
    );
    // Nothing is bound to them any more, and nobody renews them.
    await control.stopLike("fleet-lease@*.service");
    const name = known?.name ?? null;
    const manifest = joinRecord(stateFolder)?.manifest ?? "the manifest";
    const membership = name === null ? null : await this.#removeMembership(await withConf(flags), name, stateFolder);
    await forgetCluster(stateFolder, leavePath(files));
    const result = { cluster: name, machine: machineId(), ...left, membership };
    if (flags.json) this.printJson({ result: "left", ...result });
    else this.print(leftText(result, manifest));
  }

  /** What cannot be removed from here is removed by somebody else, later: that keeps no machine from leaving. */
  async #removeMembership(
    flags: Awaited<ReturnType<typeof withConf>>,
    cluster: string,
    stateFolder: string,
  ): Promise<MembershipLeft> {
    try {
      return { result: (await removeMembership(flags, cluster, stateFolder)) ? "removed" : "no-registry" };
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return { result: "not-removed", code: error.code, detail: error.message };
    }
  }
}

async function approve(yes: boolean, cluster: string): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY)
    throw new OperationError("not-approved", "nobody is there to say yes", { next: "add --yes" });
  if (await askYes(`Leave ${cluster}?`)) return;
  process.stderr.write("nothing was changed\n");
  throw new SilentExit(EXIT.error);
}
