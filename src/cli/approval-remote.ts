import { execFile } from "node:child_process";
import { splitSources } from "../adapters/git/display-url.ts";

const GIT_TIMEOUT_MS = 10_000;

/** `origin` where the repository has it: that is how this person reaches the forge; else the cluster's source as it is named, the first of several. */
export async function approvalRemote(directory: string, source: string): Promise<string> {
  const remotes = await new Promise<string>((resolve) => {
    // No git, or no repository: whoever pushes says so.
    execFile("git", ["remote"], { cwd: directory, timeout: GIT_TIMEOUT_MS }, (_error, stdout) => resolve(stdout));
  });
  if (remotes.split("\n").includes("origin")) return "origin";
  return source === "" ? "." : splitSources(source)[0]!;
}
