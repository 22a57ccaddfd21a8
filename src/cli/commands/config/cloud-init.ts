import { cloudConfig } from "../../provision.ts";
import { ProvisionCommand, provisionFlags } from "../../provision-command.ts";

export default class ConfigCloudInitCommand extends ProvisionCommand {
  static override summary =
    "Print a cloud-config that makes a machine what the flags say: fleet.conf, services, joining";
  static override description =
    "For images in which fleet is installed: user data of cloud-init. Nothing of this machine goes into it.";
  static override examples = [
    "fleet config cloud-init --registry hub://nas.lan --source https://git.example/infra.git",
    "fleet config cloud-init --join nas.lan --token abcd-efgh --metadata role=web",
  ];
  static override flags = provisionFlags;

  async run(): Promise<void> {
    const { flags, raw } = await this.parse(ConfigCloudInitCommand);
    this.print(cloudConfig(await this.provision(flags, raw)));
  }
}
