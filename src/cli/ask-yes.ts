import { createInterface } from "node:readline/promises";

/** Asks whoever sits at the terminal; only the whole word is a yes. The question goes to standard error. */
export async function askYes(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} Only 'yes' goes on: `).finally(() => terminal.close());
  return answer.trim() === "yes";
}
