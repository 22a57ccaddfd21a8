import type { Diagnostic } from "../domain/diagnostic.ts";
import { InvariantError } from "../domain/invariant.ts";
import { OperationError } from "../ports/operation-error.ts";
import { EXIT, type ExitCode, SilentExit } from "./exit-codes.ts";
import { diagnosticsText } from "./views/diagnostics-text.ts";
import { printable } from "./views/printable.ts";

/** The commit is not acceptable, and why; thrown by commands, told here, so that all of them tell it alike. */
export class RejectedCommit extends Error {
  override readonly name = "RejectedCommit";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super("the commit is not acceptable");
    this.diagnostics = diagnostics;
  }
}

/** Tells an error once, on standard error, by who must act; returns the exit code. No stack traces for users. `hint`: what was meant. */
export function reportError(error: unknown, hint: string | null = null): ExitCode {
  if (error instanceof SilentExit) return error.code;
  process.stderr.write(`${errorText(error, hint)}\n`);
  return EXIT.error;
}

/** The error for people, by who must act: several lines, no stack traces but where we are wrong. */
export function errorText(error: unknown, hint: string | null = null): string {
  if (error instanceof RejectedCommit) return diagnosticsText(error.diagnostics);
  if (error instanceof OperationError) return operationText(error);
  if (error instanceof InvariantError) {
    return `fleet is wrong: ${error.message}\nPlease report this, with what you did, as a bug.\n${error.stack ?? ""}`;
  }
  if (error instanceof Error && "oclif" in error) return usageText(error, hint);
  return error instanceof Error ? `fleet is wrong: ${error.stack ?? error.message}` : String(error);
}

/** oclif's own refusals (an unknown flag, a missing argument, no such command): a sentence, then its own hint, which is ours here. */
function usageText({ message }: Error, hint: string | null): string {
  const lines = message.split("\n").filter((line) => line !== "" && !line.startsWith("See more help"));
  return [`error: ${printable(lines.join(" "))} [usage]`, `  next: ${hint ?? "add --help to see what is taken"}`].join(
    "\n",
  );
}

/** The code and the empty note that gRPC puts around what the message says already. */
const GRPC_DRESS = /^\d+ [A-Z_]+: |\. Resolution note: $/g;

function operationText(error: OperationError): string {
  const causes: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    const reason = cause.message.replace(GRPC_DRESS, "");
    if (!error.message.includes(reason)) causes.push(`  because: ${printable(reason)}`);
  }
  const next = error.next === undefined ? [] : [`  next: ${printable(error.next)}`];
  return [`error: ${printable(error.message)} [${error.code}]`, ...causes, ...next].join("\n");
}
