/** `npm test`: sets up what the tests need where it is missing, then runs all of them. What cannot run here is said at the end. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { checkFast } from "./check.ts";
import { checkSlow } from "./check-slow.ts";
import { closeRun } from "./run-tests.ts";
import { THIRD_PARTY_NAMES, thirdPartyBinary } from "./third-party.ts";

/** Programs the tests run, and the Debian package that has each. Installed only where missing, and only as root on Debian. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "/lib/systemd/systemd": "systemd",
  "/usr/bin/dbus-daemon": "dbus",
  "/usr/sbin/ip": "iproute2",
  "/usr/bin/git": "git",
  "/usr/bin/curl": "curl",
  "/usr/bin/strace": "strace",
};

installMissing();
await fetchThirdParty();
closeRun([...(await checkFast()), ...(await checkSlow())]);

function installMissing(): void {
  const missing = Object.entries(PROGRAMS)
    .filter(([path]) => !existsSync(path))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    process.stdout.write(
      `set-up: ${missing.join(", ")} missing, and not root on Debian: tests that need them are skipped\n`,
    );
    return;
  }
  process.stdout.write(`set-up: installing ${missing.join(", ")}\n`);
  const options = { encoding: "utf8", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } } as const;
  spawnSync("apt-get", ["update", "-q"], options);
  const result = spawnSync("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...missing], options);
  if (result.status !== 0)
    process.stdout.write(`set-up: apt-get install failed: ${result.stderr.trim().slice(-500)}\n`);
}

async function fetchThirdParty(): Promise<void> {
  for (const name of THIRD_PARTY_NAMES) {
    try {
      await thirdPartyBinary(name);
    } catch (error) {
      process.stdout.write(`set-up: no ${name} here: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}
