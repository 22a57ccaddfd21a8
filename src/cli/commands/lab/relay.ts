import { Args } from "@oclif/core";
import { relay } from "../../../lab/relay.ts";
import { BaseCommand } from "../../base-command.ts";
import { stopSignal } from "../../daemon-composition.ts";
import { hostAndPort } from "../../host-and-port.ts";

export default class LabRelayCommand extends BaseCommand {
  static override summary = "Pass a unix socket's connections on to an etcd (what lab up --registry runs)";
  static override hidden = true;
  static override args = { socket: Args.string({ required: true }), registry: Args.string({ required: true }) };

  async run(): Promise<void> {
    const { args } = await this.parse(LabRelayCommand);
    const targets = args.registry
      .replace(/^etcd:\/\//, "")
      .split(",")
      .map(hostAndPort);
    await relay(args.socket, targets, stopSignal());
  }
}
