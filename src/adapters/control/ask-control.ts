import { connect } from "node:net";
import { OperationError } from "../../ports/operation-error.ts";
import { LineReader } from "./line-reader.ts";

/** An agent answers between two of its steps; writing to a slow disk may be one of them. */
const ANSWER_WITHIN_MS = 10_000;
/** Characters: some hundreds of holds, each with a reason. */
const ANSWER_MAX = 1_000_000;

/**
 * Asks whoever listens on a unix socket one line, and waits for one. Rejects with OperationError: `no-agent-here`, `not-allowed`,
 * `no-answer`.
 */
export async function askControl(path: string, line: string): Promise<string> {
  const socket = connect(path);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", (error: NodeJS.ErrnoException) => reject(refusalOf(path, error)));
      socket.once("connect", resolve);
    });
    socket.on("error", () => socket.destroy());
    socket.write(`${line}\n`);
    const answer = await new LineReader(socket, ANSWER_MAX).first(ANSWER_WITHIN_MS);
    if (answer !== null) return answer;
    throw new OperationError("no-answer", "the agent of this machine does not answer", {
      next: "systemctl status fleet-agent; whether it did what was asked: fleet hold --on-this-machine",
    });
  } finally {
    socket.destroy();
  }
}

function refusalOf(path: string, error: NodeJS.ErrnoException): OperationError {
  if (error.code === "EACCES" || error.code === "EPERM") {
    return new OperationError("not-allowed", `only root may ask this machine's agent (${path})`, { next: "use sudo" });
  }
  return new OperationError("no-agent-here", `no agent listens on ${path}`, {
    cause: error,
    next: "see how it is: systemctl status fleet-agent",
  });
}
