import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../domain/names.ts";
import { imageLines } from "./image-lines.ts";

const change = (from: string | null, to: string | null, pinned = false) => {
  return { unit: "web.container" as UnitName, from, to, pinned };
};

test("images are told with what was, what will be, and whether a digest pins it", () => {
  assert.deepEqual(
    imageLines({
      images: [change("x:1", "x:2"), change("x:1", "x@sha256:1", true), change(null, "x"), change("x", null)],
    }),
    [
      "image x:1 → x:2 (web.container), not pinned",
      "image x:1 → x@sha256:1 (web.container)",
      "image x (web.container, new), not pinned",
      "image x goes (web.container)",
    ],
  );
});

test("of very many the rest is counted", () => {
  const lines = imageLines({ images: Array.from({ length: 20 }, () => change("x:1", "x:2")) });
  assert.equal(lines.length, 13);
  assert.equal(lines.at(-1), "… 8 more images (--json has all)");
});
