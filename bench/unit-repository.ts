import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mustRun } from "../src/lab/run-program.ts";

export interface UnitRepository {
  readonly path: string;
  /** Commits a change of the first unit's command on top of what is there; another one each round. */
  changeOne(round?: number): Promise<void>;
  remove(): void;
}

/** What `LabCluster` calls its cluster. */
export const CLUSTER_NAME = "bench";
/** The one that changes. */
export const FIRST_UNIT = "bench-00000.service";

/** No floor waits to see whether what it started stays up. */
const AT_ONCE = "defaults: { rollout: { minHealthyTime: 0s } }\n";

/** Long-running services that cost a machine next to nothing. */
export function unitTexts(units: number): Map<string, string> {
  return new Map(
    Array.from({ length: units }, (_, index) => {
      const number = String(index).padStart(5, "0");
      const text = `[Unit]\nDescription=Bench ${number}\n\n[Service]\nExecStart=/bin/sleep ${100_000 + index}\n`;
      return [`bench-${number}.service`, text];
    }),
  );
}

/** A git repository of so many unit files in one commit, packed as a clone has it. */
export async function makeUnitRepository(units: number, cluster: string): Promise<UnitRepository> {
  const path = mkdtempSync(join(tmpdir(), "fleet-bench-"));
  mkdirSync(join(path, "units"));
  writeFileSync(join(path, "fleet.yaml"), `apiVersion: fleet/v1\ncluster: ${cluster}\n${AT_ONCE}`);
  for (const [name, text] of unitTexts(units)) writeFileSync(join(path, "units", name), text);
  const git = ["git", "-C", path, "-c", "user.name=bench", "-c", "user.email=bench@localhost"];
  await mustRun([...git, "init", "-q", "-b", "main"]);
  await mustRun([...git, "add", "-A"]);
  await mustRun([...git, "commit", "-q", "-m", "units"]);
  await mustRun([...git, "repack", "-q", "-a", "-d"]);
  return {
    path,
    async changeOne(round = 0) {
      const [[name, text]] = [...unitTexts(1)] as [[string, string]];
      writeFileSync(join(path, "units", name), text.replace("sleep", `sleep ${1 + round}`));
      await mustRun([...git, "commit", "-q", "-a", "-m", "one unit"]);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
