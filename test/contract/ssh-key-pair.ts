import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A key by OpenSSH's own program: the reader of ours. */
export function makeKeyPair(path: string): { publicLine: string; fingerprint: string } {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path], { stdio: "pipe" });
  const fingerprint = execFileSync("ssh-keygen", ["-l", "-f", path], { encoding: "utf8" }).split(" ")[1]!;
  return { publicLine: readFileSync(`${path}.pub`, "utf8").trim(), fingerprint };
}
