import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { arOf, tarOf } from "../../scripts/package/archives.ts";
import { plainFile, programFile } from "../../scripts/package/package-file.ts";

const TIME = Date.UTC(2026, 10, 21, 20) / 1000;
const LONG = `${"a-folder-with-a-long-name/".repeat(6)}a-file-with-a-long-name`;

/** One of each: empty, a whole block, a byte more, a long path, a program, a link; not in order. */
const FILES = [
  plainFile("usr/b", Buffer.alloc(513, "b")),
  plainFile(LONG, "long"),
  plainFile("usr/a", Buffer.alloc(512, "a")),
  programFile("bin/run", "#!/bin/sh\n"),
  plainFile("empty", ""),
  { path: "usr/link", target: "../empty" },
];

test("tar reads what it is given: sorted, folders first, root's, of one time", () => {
  const listed = execFileSync("tar", ["--utc", "--full-time", "-tvf", "-"], {
    input: tarOf(FILES, { prefix: "./", time: TIME }),
    encoding: "utf8",
  });
  const lines = listed.trim().split("\n");
  const names = lines.map((line) => line.replace(/^.* \.\//, "./").replace(/ -> .*/, ""));
  assert.deepEqual(names, [...names].sort());
  for (const line of lines) assert.match(line, /^\S{10} root\/root +\d+ 2026-11-21 20:00:00 \.\//);
  assert.match(listed, /^-rwxr-xr-x .* 10 .*\.\/bin\/run$/m);
  assert.match(listed, /^-rw-r--r-- .* 513 .*\.\/usr\/b$/m);
  assert.match(listed, /^lrwxrwxrwx .*\.\/usr\/link -> \.\.\/empty$/m);
  assert.ok(names.includes(`./${LONG}`));
});

test("tar gives back the bytes of every file", () => {
  const archive = tarOf(FILES, { prefix: "top/", time: TIME });
  for (const file of FILES) {
    if ("target" in file) continue;
    const read = execFileSync("tar", ["-xOf", "-", `top/${file.path}`], { input: archive });
    assert.ok(read.equals(file.data), file.path);
  }
});

test("a path that no tar has room for is refused", () => {
  assert.throws(() => tarOf([plainFile("x".repeat(101), "")], { prefix: "", time: TIME }), /too long/);
});

test("ar keeps members in their order, and parts odd ones", () => {
  const members = [
    { name: "first", data: Buffer.from("odd") },
    { name: "second", data: Buffer.from("even") },
  ];
  const text = arOf(members, TIME).toString();
  assert.equal(text.length, 8 + 60 + 3 + 1 + 60 + 4);
  assert.match(text, /^!<arch>\nfirst {11}1795291200 {2}0 {5}0 {5}100644 {2}3 {9}`\nodd\nsecond /);
});
