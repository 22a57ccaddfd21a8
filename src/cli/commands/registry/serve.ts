import { Flags } from "@oclif/core";
import { BaseCommand } from "../../base-command.ts";
import { runService } from "../../daemon-service.ts";
import { DEFAULT_REGISTRY_SOCKET } from "../../registry-flags.ts";

export default class RegistryServeCommand extends BaseCommand {
  static override summary = "Run the embedded registry: speaks etcd's v3 protocol, keeps its data in a folder";
  static override examples = ["fleet registry serve --data-directory ./registry --listen unix:/tmp/registry.sock"];
  static override flags = {
    "data-directory": Flags.string({
      description: "Where its log and snapshots are",
      env: "FLEET_REGISTRY_DATA",
      default: "/var/lib/fleet/registry",
    }),
    listen: Flags.string({
      description: "unix:/path or 127.0.0.1:port; may be given several times",
      multiple: true,
      default: [`unix:${DEFAULT_REGISTRY_SOCKET}`],
    }),
    "socket-mode": Flags.string({
      description: "Who may use unix sockets: this user alone (0600), or this process's group, too (0660)",
      options: ["0600", "0660"],
      default: "0600",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(RegistryServeCommand);
    const { startEmbeddedRegistry } = await import("../../../adapters/embedded/embedded-registry-server.ts");
    await runService("fleet-registry", async ({ notifier, signal }) => {
      const server = await startEmbeddedRegistry({
        dataDir: flags["data-directory"],
        listen: flags.listen,
        socketMode: flags["socket-mode"] === "0660" ? 0o660 : 0o600,
      });
      const listens = `listens on ${server.addresses.join(", ")}`;
      this.say(`the registry ${listens}`);
      notifier.status(listens);
      notifier.ready();
      await new Promise<void>((resolve) =>
        signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }),
      );
      await server.close();
    });
  }
}
