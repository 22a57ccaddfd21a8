import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { promisify } from "node:util";
import { Args, Flags } from "@oclif/core";
import type { CommitId } from "../../../domain/names.ts";
import { REWIND_TEXT_MAX } from "../../../domain/trust/rewind.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { BaseCommand } from "../../base-command.ts";

export default class TrustRewindCommand extends BaseCommand {
  static override summary = "Let this machine go back to one commit, although what it took does not lead there";
  static override description =
    "For when history had to be rewritten, or a branch set back, and a commit on top will not do. It is an order to this machine alone, by root: its agent takes a release of exactly that commit, its engine makes and places one, and fleet apply said here does. It holds once, until another commit is taken; the journal, fleet status and fleet why say who ordered it and why. The commit must be on the branch, and signed as the one before it asks for. Without a commit it shows the order that stands.";
  static override examples = [
    "fleet trust rewind 1234567812345678123456781234567812345678 --why 'the branch was restored'",
  ];
  static override args = { commit: Args.string({ description: "The whole id of the commit, 40 digits" }) };
  static override flags = {
    why: Flags.string({ description: "Why; everybody sees it" }),
    end: Flags.boolean({ description: "Take the order back" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(TrustRewindCommand);
    const commit = args.commit === undefined ? null : commitId(args.commit);
    if (commit !== null && (flags.why ?? "").trim() === "") {
      throw new OperationError("no-reason", "an order to go back needs a reason, which everybody sees", {
        next: 'say it with --why "…"',
      });
    }
    const [{ RewindKeeper }, { DiskFileStore }] = await Promise.all([
      import("../../../usecases/rewind-keeper.ts"),
      import("../../../adapters/files/disk-file-store.ts"),
    ]);
    const rewinds = new RewindKeeper(new DiskFileStore());
    if (commit === null && !flags.end) {
      const order = await rewinds.read();
      if (order === null) return this.print("this machine goes forward only");
      return this.print(
        `this machine may go back to ${order.commit}, as ${order.by} ordered at ${order.at}: ${order.why}`,
      );
    }
    refuseOthers();
    if (commit === null) {
      await rewinds.end();
      await this.#tellJournal("the order that this machine may go back was taken back");
      return this.say("this machine goes forward only");
    }
    // Whoever became root for this is who did it.
    const by = process.env.SUDO_USER ?? userInfo().username;
    const why = (flags.why ?? "").replaceAll(/\s+/g, " ").trim().slice(0, REWIND_TEXT_MAX);
    await rewinds.write({ commit, by, why, at: new Date().toISOString() });
    await this.#tellJournal(`${by} ordered that this machine may go back to commit ${commit}: ${why}`);
    this.say(`this machine may go back to ${commit}, once; say the same on each machine and engine that is to go back`);
  }

  /** The order stands all the same. */
  async #tellJournal(text: string): Promise<void> {
    try {
      await journalLine(text);
    } catch (error) {
      this.say(`the journal was not told: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** What an agent does by it, its own log says; that it was given stays there also where nothing comes of it. */
function journalLine(text: string): Promise<void> {
  return promisify(execFile)("logger", ["-t", "fleet", "-p", "auth.warning", "--", text], { timeout: 5_000 }).then(
    () => undefined,
  );
}

function commitId(text: string): CommitId {
  if (/^[0-9a-f]{40}$/.test(text)) return text as CommitId;
  throw new OperationError("bad-commit", `${text} is no whole id of a commit`, {
    next: "give all 40 digits, as git rev-parse prints them",
  });
}

function refuseOthers(): void {
  if (process.geteuid?.() === 0) return;
  throw new OperationError("not-root", "where this machine may go back to, only root may say", {
    next: "say it with sudo, on the machine itself",
  });
}
