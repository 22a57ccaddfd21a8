import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Flags, type Interfaces } from "@oclif/core";
import type { RebootGuard } from "../../daemon/reboot-guard.ts";
import type { FileStore } from "../../ports/file-store.ts";
import type { RebootHost } from "../../ports/reboot-host.ts";
import { BaseCommand, clusterFlags } from "../base-command.ts";
import { composeGuard } from "../compose-guard.ts";
import { daemonFlags } from "../daemon-flags.ts";
import { type DaemonService, runService } from "../daemon-service.ts";
import { machineId } from "../machine-id.ts";

type GuardFlags = Interfaces.InferredFlags<typeof RebootGuardCommand.flags>;

export default class RebootGuardCommand extends BaseCommand {
  static override summary =
    "Restart this machine when it asks for it, in turn with the others and within their budgets";
  static override description =
    "A machine asks by a file, or by a command that ends with 0. It takes a slot of lock `reboot` (`reboots:` in the manifest says how many there are, in which window, and whether units that may move leave first), waits until the engine says that it may go, and restarts through systemd. The slot is free again once the machine is back and its units are as wanted. A reason that outlives the restart asks for no other.";
  static override examples = ["fleet reboot-guard --dry-run"];
  static override flags = {
    registry: clusterFlags.registry,
    "etcd-cafile": clusterFlags["etcd-cafile"],
    "etcd-certfile": clusterFlags["etcd-certfile"],
    "etcd-keyfile": clusterFlags["etcd-keyfile"],
    cluster: Flags.string({
      description: "The cluster's name (default: the one this machine's agent belongs to)",
      env: "FLEET_CLUSTER",
    }),
    "state-directory": daemonFlags["state-directory"],
    file: Flags.string({
      description: "A file that is there when the machine is to restart",
      env: "FLEET_REBOOT_FILE",
      default: "/run/reboot-required",
    }),
    check: Flags.string({
      description: "A command that ends with 0 when it is to restart; its words, no shell; a minute at most",
      env: "FLEET_REBOOT_CHECK",
    }),
    once: Flags.boolean({ description: "End when nothing wants a restart, or systemd has been asked for it" }),
    "dry-run": Flags.boolean({ description: "Only say whether it would restart, and who restarts now" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(RebootGuardCommand);
    if (flags["dry-run"]) return this.#say(flags);
    await runService("fleet-reboot-guard", (service) => this.#serve(flags, service));
  }

  async #serve(flags: GuardFlags, service: DaemonService): Promise<void> {
    const { notifier, signal, log } = service;
    const machine = machineId();
    const { host, files } = await hostOf(flags);
    notifier.ready();
    const world = await composeGuard(flags, files, signal);
    try {
      const options = {
        ...{ machine, by: "fleet reboot-guard" },
        memoryPath: join(flags["state-directory"], "reboot-guard"),
        condition: (text: string) => {
          notifier.progress();
          notifier.status(text);
        },
      };
      const { RebootGuard: Guard } = await import("../../daemon/reboot-guard.ts");
      const guard: RebootGuard = new Guard(options, { ...world, files, host, log });
      await guard.run(signal, flags.once);
    } finally {
      await world.registry.close();
    }
  }

  async #say(flags: GuardFlags): Promise<void> {
    const machine = machineId();
    const { host, files } = await hostOf(flags);
    const reason = await host.reason();
    this.print(
      reason === null ? "nothing wants this machine to restart" : `this machine would restart: ${reason.text}`,
    );
    const [{ readLock }, { locksText }] = await Promise.all([
      import("../../usecases/read-lock.ts"),
      import("../views/locks-text.ts"),
    ]);
    const { registry, keys, clock } = await composeGuard(flags, files, AbortSignal.timeout(DRY_RUN_MS));
    try {
      const lock = await readLock(registry, keys, "reboot");
      const isFree = lock.held.length + lock.waiting.length === 0;
      const names = new Map([[machine as string, "this machine"]]);
      this.print(isFree ? "nobody else wants to" : locksText([lock], names, clock.wallMs()));
    } finally {
      await registry.close();
    }
  }
}

/** How long a dry run waits for the machine's agent to have a cluster. */
const DRY_RUN_MS = 5_000;

async function hostOf(flags: GuardFlags): Promise<{ readonly host: RebootHost; readonly files: FileStore }> {
  const [{ DiskFileStore }, { checkWords, commandReason, fileReason }, { orderReboot }, { systemClock }] =
    await Promise.all([
      import("../../adapters/files/disk-file-store.ts"),
      import("../../adapters/machine/reboot-reasons.ts"),
      import("../../adapters/systemd/order-reboot.ts"),
      import("../../adapters/system-clock.ts"),
    ]);
  const files = new DiskFileStore();
  const check = flags.check === undefined ? null : checkWords(flags.check);
  const host: RebootHost = {
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    reason: async () => (await fileReason(files, flags.file)) ?? (check === null ? null : commandReason(check)),
    reboot: () => orderReboot(systemClock),
  };
  return { host, files };
}
