import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../names.ts";
import { imagesToPull, imageToPull, isPinned } from "./quadlet-images.ts";

const CASES: readonly [string, string, string, string | null][] = [
  ["a container's", "a.container", "[Container]\nImage=docker.io/library/busybox:1\n", "docker.io/library/busybox:1"],
  ["an image quadlet's", "a.image", "[Image]\nImage=quay.io/x\n", "quay.io/x"],
  ["a volume's", "a.volume", "[Volume]\nDriver=image\nImage=quay.io/x\n", "quay.io/x"],
  ["a pod has none", "a.pod", "[Pod]\n", null],
  ["a service has none, whatever it says", "a.service", "[Container]\nImage=x\n", null],
  ["what another quadlet pulls is that one's", "a.container", "[Container]\nImage=x.image\n", null],
  ["what another quadlet builds is nobody's to pull", "a.container", "[Container]\nImage=x.build\n", null],
  ["the last word counts", "a.container", "[Container]\nImage=x:1\nImage=x:2\n", "x:2"],
  ["what was built on the machine is in no registry", "a.container", "[Container]\nImage=localhost/x:1\n", null],
  ["what is never to be pulled is not", "a.container", "[Container]\nImage=x\nPull=never\n", null],
  ["a specifier is systemd's to expand", "a.container", "[Container]\nImage=x:%i\n", null],
  ["an option is no image", "a.container", "[Container]\nImage=--all-tags\n", null],
  ["nor are two words", "a.container", "[Container]\nImage=x y\n", null],
  ["nor a megabyte", "a.container", `[Container]\nImage=${"x".repeat(1_000_000)}\n`, null],
];

for (const [says, name, text, expected] of CASES) {
  test(`image to pull: ${says}`, () => {
    assert.equal(imageToPull(name as UnitName, [{ path: name, text }])?.image ?? null, expected);
  });
}

test("a drop-in's image counts, and so do its credentials", () => {
  const files = [
    { path: "a.container", text: "[Container]\nImage=x:1\n" },
    { path: "a.container.d/10.conf", text: "[Container]\nImage=x:2\nAuthFile=/etc/auth.json\n" },
  ];
  assert.deepEqual(imageToPull("a.container" as UnitName, files), { image: "x:2", authFile: "/etc/auth.json" });
});

test("only a digest pins an image", () => {
  assert.ok(isPinned(`x@sha256:${"0".repeat(64)}`));
  assert.ok(isPinned(`x:1@sha256:${"a".repeat(64)}`));
  for (const image of ["x", "x:1", "x:latest", `x:sha256${"0".repeat(64)}`]) assert.ok(!isPinned(image), image);
});

test("what another quadlet builds or names is there once that one has run", () => {
  const texts = {
    "a.container": "[Container]\nImage=registry.example/a:1\n",
    "b.container": "[Container]\nImage=registry.example/b:1\n",
    "a.build": "[Build]\nImageTag=registry.example/a:1\nFile=/srv/Containerfile\n",
    "c.image": "[Image]\nImage=registry.example/c:1\nImageTag=registry.example/b:1\n",
    "d.service": "[Service]\nExecStart=/bin/d\n",
  };
  const units = Object.entries(texts).map(([path, text]) => ({ name: path as UnitName, files: [{ path, text }] }));
  assert.deepEqual([...imagesToPull(units)], [["c.image", { image: "registry.example/c:1", authFile: null }]]);
});
