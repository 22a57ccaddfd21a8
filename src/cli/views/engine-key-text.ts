import type { ShownEngine } from "../../usecases/join-cluster.ts";
import { printable } from "./printable.ts";

/** What somebody is asked to compare with what the engine's own machine prints. */
export function engineKeyText(shown: readonly ShownEngine[]): string {
  return printable(
    [
      ...shown.map(
        ({ engine, key, cluster }) => `the engine at ${engine} says it is of cluster ${cluster}; its key is\n  ${key}`,
      ),
      "It is pinned here: whoever has it can tell this machine what to run, as far as git has it. Its machine's stanza shows it as engineKey.",
    ].join("\n"),
  );
}
