import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compileRepository, shownFindings } from "../../compile-repository.ts";

const root = join(import.meta.dirname, "repo");

function repositoryOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path, "utf8")];
    }),
  );
}

test("every kind of tie keeps its units together, and nothing else does", () => {
  const { spec, diagnostics } = compileRepository(repositoryOf(root));
  assert.deepEqual(shownFindings(diagnostics), []);
  assert.deepEqual(
    spec!.groups.map((group) => `${group.units.join(" ")}${group.global ? " (global)" : ""}`),
    [
      "bindsto-app.service bindsto-net.service",
      "chain-a.service chain-b.service chain-c.service chain-d.timer",
      "global-a.service global-a.timer (global)",
      "loose-after.service",
      "loose-none.service",
      "machineof-main.service machineof-sidekick.service",
      "mount-user.service srv-data.mount",
      "path-watch.path path-watch.service",
      "quadlet-app.container quadlet-app.image quadlet-app.network quadlet-app.pod quadlet-app.volume quadlet-cache.build quadlet-cache.container",
      "requires-app.service requires-db.service",
      "requisite-app.service requisite-base.service",
      "shop-sidekick@blue.service shop@blue.service",
      "shop-sidekick@green.service shop@green.service",
      "socket-named.socket socket-other.service",
      "socket-web.service socket-web.socket",
      "timer-job.service timer-job.timer",
      "timer-named.timer timer-other.service",
    ],
  );
  const ties = new Set(spec!.groups.flatMap((group) => group.ties.map((tie) => tie.by)));
  assert.deepEqual([...ties].sort(), [
    "BindsTo=",
    "Image=",
    "MachineOf=",
    "Network=",
    "Pod=",
    "Requires=",
    "RequiresMountsFor=",
    "Requisite=",
    "Service=",
    "Unit=",
    "Volume=",
  ]);
});

test("the quadlet group stays where its volume is", () => {
  const { spec } = compileRepository(repositoryOf(root));
  const group = spec!.groups.find((one) => one.name.startsWith("quadlet-"));
  assert.deepEqual(
    [group!.move, group!.localState],
    ["never", [{ unit: "quadlet-app.volume", because: "volume quadlet-app.volume" }]],
  );
});
