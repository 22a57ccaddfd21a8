import { Args } from "@oclif/core";
import { serveSource } from "../../../lab/source-server.ts";
import { BaseCommand } from "../../base-command.ts";
import { stopSignal } from "../../daemon-composition.ts";
import { hostAndPort } from "../../host-and-port.ts";

export default class LabSourceCommand extends BaseCommand {
  static override summary = "Serve a repository's .git folder over HTTP (what lab up runs)";
  static override hidden = true;
  static override args = { folder: Args.string({ required: true }), listen: Args.string({ required: true }) };

  async run(): Promise<void> {
    const { args } = await this.parse(LabSourceCommand);
    await serveSource(args.folder, hostAndPort(args.listen), stopSignal());
  }
}
