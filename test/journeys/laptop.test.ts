import { test } from "node:test";
import { followPage, whyNot } from "./follow-page.ts";

test("docs/journeys/laptop.md does what it says", { skip: whyNot() }, (context) =>
  followPage(context, "docs/journeys/laptop.md"),
);
