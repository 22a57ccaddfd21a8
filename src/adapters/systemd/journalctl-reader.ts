import { spawn } from "node:child_process";
import { once } from "node:events";
import { OperationError } from "../../ports/operation-error.ts";
import type { JournalReader } from "../../ports/reach.ts";

/** Of what journalctl complains; enough to say why. */
const COMPLAINT_MAX = 500;

/** Reads by journalctl, which knows every format a journal ever had; its pipe holds it back when nobody reads. */
export const journalctlReader: JournalReader = {
  async *read(service, { lines, follow, json }, signal) {
    const words = ["--quiet", "--no-pager", `--lines=${lines}`, `--unit=${service}`];
    const child = spawn("journalctl", [...words, ...(follow ? ["--follow"] : []), ...(json ? ["--output=json"] : [])], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = `${complaint}${text}`.slice(0, COMPLAINT_MAX);
    });
    const ended = once(child, "close").catch((error: unknown) => [error] as const);
    const kill = () => child.kill("SIGKILL");
    signal.addEventListener("abort", kill, { once: true });
    try {
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
        if (signal.aborted) return;
        yield chunk;
      }
      const [code] = await ended;
      if (code !== 0 && !signal.aborted) {
        const why = complaint.trim() || (code instanceof Error ? code.message : `it ended with ${code}`);
        throw new OperationError("journal-unreadable", `journalctl of ${service}: ${why}`);
      }
    } finally {
      signal.removeEventListener("abort", kill);
      kill();
      await ended;
    }
  },
};
