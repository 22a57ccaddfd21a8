import { Flags } from "@oclif/core";
import { RegistryMirror } from "../../daemon/registry-mirror.ts";
import { BaseCommand, clusterAloneFlags } from "../base-command.ts";
import { clusterName } from "../cluster-name.ts";
import { runService } from "../daemon-service.ts";
import { hostAndPort } from "../host-and-port.ts";

export default class DnsCommand extends BaseCommand {
  static override summary = "Answer DNS for the units of a cluster that announce themselves";
  static override description =
    "web.home.fleet has the addresses of all instances of web in the cluster home that are up and healthy, _http._tcp.web.home.fleet also their ports. It answers for that zone alone; resolvers are told to ask it for that. Runs until it is stopped; with the registry away it answers with what it knew last.";
  static override examples = ["fleet dns --listen 127.0.0.1:5354"];
  static override flags = {
    ...clusterAloneFlags,
    listen: Flags.string({
      description: "UDP and TCP, host:port; port 0 takes a free one",
      env: "FLEET_DNS_LISTEN",
      default: "127.0.0.1:5354",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(DnsCommand);
    const [{ serveDns }, { NamedServices }] = await Promise.all([
      import("../../adapters/dns/dns-server.ts"),
      import("../../usecases/named-services.ts"),
    ]);
    const composition = await this.compose(flags);
    try {
      const opened = await composition.needRegistry();
      const name = await clusterName(composition, flags.cluster);
      const keys = composition.keysOf(name);
      await runService("fleet-dns", async ({ notifier, signal }) => {
        const mirror = new RegistryMirror(opened, [keys.services], composition.clock, () => undefined);
        const services = new NamedServices(name, keys, mirror);
        const following = mirror.run(signal);
        const { host, port } = hostAndPort(flags.listen);
        const { zone, ttlS } = services;
        const served = await serveDns({ host, port, zone, ttlS, answer: (query) => services.answer(query), signal });
        const says = `answers for ${zone} on ${host.includes(":") ? `[${host}]` : host}:${served.port}`;
        this.say(says);
        notifier.status(says);
        notifier.ready();
        await Promise.all([following, served.ended]);
      });
    } finally {
      await composition.close();
    }
  }
}
