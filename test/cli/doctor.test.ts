import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type AreaReport, DOCTOR_AREAS, FINDING_CODES } from "../../src/domain/doctor/finding.ts";
import { fleet, prepareFleet } from "./fleet-process.ts";

/** What this machine is like is its own business; these tests hold what is said of it, and how. */
describe("fleet doctor", () => {
  let cwd: string;

  before(async () => {
    await prepareFleet();
    cwd = mkdtempSync(join(tmpdir(), "fleet-doctor-"));
  });

  after(() => rmSync(cwd, { recursive: true, force: true }));

  const doctor = async (words: readonly string[]) => {
    const [text, json] = await Promise.all([
      fleet(["doctor", ...words], { cwd }),
      fleet(["doctor", "--json", ...words], { cwd }),
    ]);
    assert.equal(text.stderr + json.stderr, "");
    const { areas } = JSON.parse(json.stdout) as { areas: AreaReport[] };
    return { text: text.stdout, areas, codes: [text.code, json.code] };
  };
  const area = (areas: readonly AreaReport[], name: string) => areas.find((one) => one.area === name)!;
  const codesOf = ({ findings }: AreaReport) => findings.map(({ code }) => code);

  test("says the same to people and to programs, area by area, and ends with 1 for errors only", async () => {
    const { text, areas, codes } = await doctor([]);
    assert.deepEqual(
      areas.map((one) => one.area),
      DOCTOR_AREAS,
    );
    for (const { area, findings } of areas) {
      assert.match(text, new RegExp(`^(ok|warning|ERROR) +${area} `, "m"));
      for (const { code, severity, expected } of findings) {
        assert.ok((FINDING_CODES as readonly string[]).includes(code), code);
        assert.ok(text.includes(`${severity} ${code}: `), code);
        assert.ok(text.includes(expected), expected);
      }
    }
    const expected = areas.some(({ severity }) => severity === "error") ? 1 : 0;
    assert.deepEqual(codes, [expected, expected]);
    assert.deepEqual(codesOf(area(areas, "registry")), ["no-registry"]);
    assert.deepEqual(codesOf(area(areas, "source")), ["no-source"]);
  });

  test("asks for no registry where the machine follows git alone", async () => {
    const { areas } = await doctor(["--standalone", "--registry", "etcd://127.0.0.1:1"]);
    for (const name of ["registry", "cluster"]) assert.deepEqual(codesOf(area(areas, name)), [], name);
    assert.match(area(areas, "registry").saw, /needs none/);
  });

  test("names a registry and a source that are away, without the password in the address", async () => {
    const words = ["--registry", "etcd://127.0.0.1:1", "--source", "http://ada:secret@127.0.0.1:1/infra.git"];
    const { text, areas, codes } = await doctor(words);
    assert.deepEqual(codesOf(area(areas, "registry")), ["registry-away"]);
    assert.deepEqual(codesOf(area(areas, "source")), ["source-away"]);
    assert.doesNotMatch(text, /secret/);
    assert.deepEqual(codes, [1, 1]);
  });

  test("is not held up by a registry and a source that take every connection and never answer", async () => {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const words = ["--registry", `etcd://127.0.0.1:${port}`, "--source", `http://127.0.0.1:${port}/infra.git`];
    try {
      const { areas } = await doctor(words);
      assert.deepEqual(codesOf(area(areas, "registry")), ["registry-away"]);
      assert.deepEqual(codesOf(area(areas, "source")), ["source-away"]);
      assert.notEqual(area(areas, "disk").findings[0]?.code, "not-seen", "the rest was looked at");
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
