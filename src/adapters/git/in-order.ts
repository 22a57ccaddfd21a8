import { OperationError } from "../../ports/operation-error.ts";

/** The first of these that answers; where none does, what the first one said. */
export async function inOrder<T>(remotes: readonly string[], ask: (remote: string) => Promise<T>): Promise<T> {
  const problems: OperationError[] = [];
  for (const remote of remotes) {
    try {
      return await ask(remote);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      problems.push(error);
    }
  }
  throw problems[0] ?? new OperationError("no-source", "the source names no repository");
}
