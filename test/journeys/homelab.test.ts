/** podman's own generator, and a stand-in for podman: the containers of the page do not run here. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { STAND_IN_PODMAN } from "../e2e/stand-in-podman.ts";
import { followPage, whyNot } from "./follow-page.ts";

test("docs/journeys/homelab.md does what it says", { skip: whyNot() }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-stand-in-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const podman = join(folder, "podman");
  writeFileSync(podman, STAND_IN_PODMAN, { mode: 0o755 });
  await followPage(context, "docs/journeys/homelab.md", {
    quadlet: await thirdPartyBinary("quadlet"),
    "stand-in-podman": podman,
  });
});
