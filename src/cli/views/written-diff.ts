import { createTwoFilesPatch } from "diff";
import { maskSecrets } from "../../domain/lint/mask-secrets.ts";
import { printable } from "./printable.ts";

/** A file that is written or removed (null: it is not there), as a patch with secrets masked. Two texts that differ only in those differ in no line. */
export function writtenDiff(path: string, before: string | null, after: string | null): string {
  const [old, young] = [before, after].map((text) => (text === null ? "/dev/null" : path)) as [string, string];
  const [was, is] = [before, after].map((text) => maskSecrets(text ?? "")) as [string, string];
  const patch = createTwoFilesPatch(old, young, was, is, "", "", { context: 2 });
  return patch
    .split("\n")
    .filter((line) => !line.startsWith("====="))
    .map((line) => printable(line.replace(/\t$/, "")))
    .join("\n");
}
