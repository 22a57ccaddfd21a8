import { OperationError } from "../../ports/operation-error.ts";

/** The first of these that answers; where none does, what the first one said. */
export async function inOrder<T>(remotes: readonly string[], ask: (remote: string) => Promise<T>): Promise<T> {
  const problems: OperationError[] = [];
  for (const remote of remotes) {
    try {
      return await ask(remote);
    } catch (error) {
      // Places that contradict each other are for a person to look at, and not for the next place to settle.
      if (!(error instanceof OperationError) || error.code === "source-diverged") throw error;
      problems.push(error);
    }
  }
  throw problems[0] ?? new OperationError("no-source", "the source names no repository");
}
