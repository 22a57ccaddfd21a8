/** The real machines, the real git, and the committed bundle of the action as a runner starts it; only the forge and its `gh` are played. */
import { test } from "node:test";
import { followPage, whyNot } from "./follow-page.ts";
import { PretendForge } from "./pretend-forge.ts";

test("docs/journeys/team.md does what it says", { skip: whyNot() }, async (context) => {
  const forge = await PretendForge.start();
  context.after(() => forge.stop());
  await followPage(context, "docs/journeys/team.md", { gh: forge.gh });
});
