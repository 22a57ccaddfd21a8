import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Flags } from "@oclif/core";
import { readAllowedSigners } from "../../../codec/signatures/allowed-signers.ts";
import { hasErrors } from "../../../domain/diagnostic.ts";
import type { Signer } from "../../../domain/trust/trust-policy.ts";
import { checkTrust } from "../../../usecases/check-trust.ts";
import { TrustJudge } from "../../../usecases/trust-judge.ts";
import { BaseCommand, outputFlags, repositoryFlags } from "../../base-command.ts";
import { EXIT, SilentExit } from "../../exit-codes.ts";
import { commitFromFlags } from "../../plan-from-flags.ts";
import { RejectedCommit } from "../../report-error.ts";
import { trustCheckText } from "../../views/commit-trust-text.ts";

const LAST = 50;
const LAST_MAX = 10_000;

export default class TrustCheckCommand extends BaseCommand {
  static override summary = "Say who signed the last commits, and which of them each mode of trust would refuse";
  static override description =
    "Each commit is judged as if it were to follow its first parent, by the signers and rules that the newest of them names. Nothing is changed. Ends with 1 where the mode in force would refuse one.";
  static override examples = ["fleet trust check --last 5"];
  static override flags = {
    ...repositoryFlags,
    ...outputFlags,
    last: Flags.integer({ description: "How many commits, along first parents", default: LAST, min: 1, max: LAST_MAX }),
    signers: Flags.string({ description: "Try this file of signers in place of the manifest's" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(TrustCheckCommand);
    const composition = await this.compose(flags);
    try {
      const source = await composition.repository();
      const tip = await commitFromFlags(composition, flags.revision);
      const judge = new TrustJudge({ source, manifestPath: composition.manifest, own: null });
      const signers = flags.signers === undefined ? null : await signersFrom(resolve(flags.directory, flags.signers));
      const checked = await checkTrust({ source, judge, tip, last: flags.last, signers });
      if (signers === null && hasErrors(checked.diagnostics)) throw new RejectedCommit(checked.diagnostics);
      if (flags.json) this.printJson(checked);
      else this.print(trustCheckText(checked));
      const { mode, commits } = checked;
      if (mode !== "off" && commits.some(({ refused }) => refused[mode] !== null)) throw new SilentExit(EXIT.error);
    } finally {
      await composition.close();
    }
  }
}

async function signersFrom(path: string): Promise<readonly Signer[]> {
  const { signers, diagnostics } = readAllowedSigners(path, await readFile(path));
  if (hasErrors(diagnostics)) throw new RejectedCommit(diagnostics);
  return signers;
}
