import { ignition } from "../../provision.ts";
import { ProvisionCommand, provisionFlags } from "../../provision-command.ts";

export default class ConfigIgnitionCommand extends ProvisionCommand {
  static override summary =
    "Print an Ignition configuration that makes a machine what the flags say: fleet.conf, services, joining";
  static override description =
    "Version 3.4.0, for images of Flatcar or Fedora CoreOS in which fleet is installed. Nothing of this machine goes into it.";
  static override examples = [
    "fleet config ignition --registry hub://nas.lan --source https://git.example/infra.git",
    "fleet config ignition --conf ./fleet.conf",
  ];
  static override flags = provisionFlags;

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(ConfigIgnitionCommand);
    this.printJson(ignition(await this.provision(flags, raw)));
  }
}
