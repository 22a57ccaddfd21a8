import { test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { followPage, whyNot } from "./follow-page.ts";

test("docs/journeys/edge.md does what it says", { skip: whyNot() }, async (context) =>
  followPage(context, "docs/journeys/edge.md", { etcdctl: await thirdPartyBinary("etcdctl") }),
);
