import { readFileSync } from "node:fs";
import { OperationError } from "../../ports/operation-error.ts";

/** A machine has hundreds of accounts; a file of a domain's whole directory is none of ours to read in each write. */
const FILE_BYTES_MAX = 1024 * 1024;

/**
 * The number of an account of this machine, from `/etc/passwd` or `/etc/group`: local accounts only, which are there before a network is.
 * A number stands for itself, whether anybody has it or not: containers' users are known to nobody here.
 */
export function accountNumber(kind: "user" | "group", name: string): number {
  if (/^[0-9]+$/.test(name)) return Number(name);
  // On every machine, whatever its files say.
  if (name === "root") return 0;
  const path = kind === "user" ? "/etc/passwd" : "/etc/group";
  const text = readFileSync(path, "utf8").slice(0, FILE_BYTES_MAX);
  const fields = text
    .split("\n")
    .find((line) => line.startsWith(`${name}:`))
    ?.split(":");
  const number = fields?.[2];
  if (number !== undefined && /^[0-9]+$/.test(number)) return Number(number);
  throw new OperationError("account-unknown", `there is no ${kind} ${name} on this machine`, {
    next: `create it there before (sysusers.d), or name it by its number; ${path} is what counts`,
  });
}
