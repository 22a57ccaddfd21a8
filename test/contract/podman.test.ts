import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { MemoryFileStore } from "../../src/adapters/memory/memory-file-store.ts";
import { MemoryPodman } from "../../src/adapters/memory/memory-podman.ts";
import { MachinePodman } from "../../src/adapters/podman/machine-podman.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { rejectedQuadlets } from "../../src/domain/quadlet/rejected-quadlets.ts";
import type { Podman, ProgramRunner } from "../../src/ports/podman.ts";

const folder = mkdtempSync(join(tmpdir(), "fleet-podman-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const generators = join(folder, "generators");
mkdirSync(generators);

const asked: (readonly string[])[] = [];
const runner: ProgramRunner = {
  async run(argv) {
    asked.push(argv);
    return argv.includes("lacking") ? { isDone: false, words: "manifest unknown" } : { isDone: true, words: "" };
  },
  close() {},
};

const real = await thirdPartyBinary("quadlet").then(
  (path) => ({ path, skip: false as const }),
  (error: Error) => ({ path: "", skip: error.message }),
);
if (!real.skip) symlinkSync(real.path, join(generators, "podman-system-generator"));

const WORLDS: readonly [string, Podman, string | false][] = [
  ["podman 5.4.2", new MachinePodman(runner, join(folder, "run"), [generators]), real.skip],
  ["the twin", new MemoryPodman(new MemoryFileStore()), false],
];

const IMAGE = "[Container]\nImage=docker.io/library/busybox:1\n";

/** Files; which services they become; which quadlets are rejected. */
const CASES: readonly [string, Record<string, string>, string[], string[]][] = [
  [
    "each type becomes a service by its own name",
    {
      "a.container": `${IMAGE}Volume=b.volume:/b\nNetwork=c.network\nPod=d.pod\n`,
      "b.volume": "[Volume]\n",
      "c.network": "[Network]\n",
      "d.pod": "[Pod]\n",
      "e.image": "[Image]\nImage=quay.io/e:1\n",
      "f@1.container": IMAGE,
    },
    ["a.service", "b-volume.service", "c-network.service", "d-pod.service", "e-image.service", "f@1.service"],
    [],
  ],
  ["a container without an image", { "a.container": "[Container]\nExec=x\n" }, [], ["a.container"]],
  ["an image of a drop-in", { "a.container": "[Container]\n", "a.container.d/10.conf": IMAGE }, ["a.service"], []],
  [
    "a volume that is not there: its neighbours are not concerned",
    { "a.container": `${IMAGE}Volume=b.volume:/b\n`, "c.container": IMAGE },
    ["c.service"],
    ["a.container"],
  ],
  [
    "one file that is no unit file: nothing of the whole folder, and it alone is to blame",
    { "a.container": "Image=x\n", "c.container": IMAGE },
    [],
    ["a.container"],
  ],
  [
    "a line that is none, and its neighbours",
    { "a.container": `${IMAGE}junk\n`, "c.pod": "[Pod]\n" },
    [],
    ["a.container"],
  ],
];

for (const [label, podman, skip] of WORLDS) {
  describe(label, { skip }, () => {
    for (const [says, texts, services, rejected] of CASES) {
      test(says, async () => {
        const files = Object.entries(texts).map(([path, text]) => ({ path, text }));
        const said = await podman.dryRun(files);
        assert.deepEqual([...said.services].sort(), services);
        const quadlets = Object.keys(texts).filter((path) => !path.includes("/")) as UnitName[];
        assert.deepEqual([...rejectedQuadlets(quadlets, said).keys()], rejected);
      });
    }
  });
}

describe("podman on a machine", { skip: real.skip }, () => {
  const podman = () => new MachinePodman(runner, join(folder, "run"), [generators]);

  test("an unknown key is told in the generator's own words, without the place it was tried in", async () => {
    const said = await podman().dryRun([{ path: "a.container", text: `${IMAGE}Imge=y\n` }]);
    const [words] = rejectedQuadlets(["a.container" as UnitName], said).values();
    assert.equal(words, "converting \"a.container\": unsupported key 'Imge' in group 'Container' in a.container");
  });

  test("a dry run leaves nothing behind", async () => {
    await podman().dryRun([{ path: "a.container", text: IMAGE }]);
    assert.deepEqual(readdirSync(join(folder, "run")), []);
  });

  test("images are asked of podman, and its words are told", async () => {
    assert.equal(await podman().hasImage({ image: "there", authFile: null }), true);
    assert.equal(await podman().hasImage({ image: "lacking", authFile: null }), false);
    assert.equal(await podman().pull({ image: "there", authFile: "/etc/auth.json" }), null);
    assert.equal(await podman().pull({ image: "lacking", authFile: null }), "manifest unknown");
    assert.deepEqual(asked.slice(-2), [
      ["/usr/bin/podman", "pull", "--quiet", "--authfile", "/etc/auth.json", "--", "there"],
      ["/usr/bin/podman", "pull", "--quiet", "--", "lacking"],
    ]);
  });
});

describe("a generator", () => {
  const at = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path);
    return path;
  };
  const there = (...folders: string[]) => new MachinePodman(runner, join(folder, "run"), folders).hasGenerator();

  test("is there where systemd would run it", async () => {
    const [empty, masked, plain, whole] = [at("empty"), at("masked"), at("plain"), at("whole")];
    symlinkSync("/dev/null", join(masked, "podman-system-generator"));
    writeFileSync(join(plain, "podman-system-generator"), "");
    writeFileSync(join(whole, "podman-system-generator"), "#!/bin/sh\n");
    chmodSync(join(whole, "podman-system-generator"), 0o755);
    assert.equal(await there(empty, whole), true);
    assert.equal(await there(masked, whole), false, "masked");
    assert.equal(await there(plain), false, "no program");
    assert.equal(await there(empty, join(folder, "nowhere")), false);
  });

  test("that dies is an error of the machine, and no word about quadlets", async () => {
    const broken = at("broken");
    writeFileSync(join(broken, "podman-system-generator"), "#!/bin/sh\nkill -9 $$\n");
    chmodSync(join(broken, "podman-system-generator"), 0o755);
    await assert.rejects(new MachinePodman(runner, join(folder, "run"), [broken]).dryRun([]), {
      code: "generator-failed",
    });
  });
});
