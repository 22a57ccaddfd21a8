import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ClusterOnLab, type ShownCluster } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";

const MACHINE = "m1";
const WELL = "/run/e2e-well";
/** Answers 200 while that file is there, and 503 while it is not. */
const SERVER = `require('http').createServer((_, answer) => { answer.statusCode = require('fs').existsSync('${WELL}') ? 200 : 503; answer.end() }).listen(8080, '127.0.0.1')`;
const web = `[Service]
User=daemon
ExecStart=/opt/fleet/node -e "${SERVER}"

[X-Fleet]
HealthCheck=tcp://127.0.0.1:8080
HealthCheck=exec:/bin/sh -c 'test "$(id -un)" = daemon'
HealthCheck=http://127.0.0.1:8080/%p
`;
const asks = (check: string) => `[Service]
User=daemon
ExecStart=/bin/sleep infinity

[X-Fleet]
HealthCheck=${check}
`;
const IS_ROOT = `exec:/bin/sh -c 'test "$(id -u)" = 0'`;

interface Shown extends ShownCluster {
  readonly units: readonly (ShownCluster["units"][number] & {
    readonly health: { readonly state: string; readonly detail: string } | null;
  })[];
}

describe("services that are asked how they are", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    const gone = ["red", "blue", "everywhere", "hello@"].map((name) => [`units/${name}.service`, null] as const);
    await cluster.commit("one that is not well, and one whose check is not root", {
      ...Object.fromEntries(gone),
      "units/tick.service": null,
      "units/tick.timer": null,
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: hello\n",
      "units/web.service": web,
      "units/rooted.service": asks(IS_ROOT),
    });
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(() => cluster?.down());

  const unitOf = async (name: string) => ((await cluster.status()) as Shown).units.find(({ unit }) => unit === name)!;
  const apply = (...words: string[]) => cluster.fleet("apply", "--auto-approve", ...words);

  test("apply waits for checks, says what does not pass, and whom it was asked as", async () => {
    const { code, stdout, stderr } = await apply("--timeout", "10s", "--allow-deletes");
    assert.equal(code, 5, stdout + stderr);
    const said = stdout + stderr;
    // Those before it have passed: somebody listens, and the program ran as daemon.
    assert.match(said, /web\.service on m1: is up, .*not passed yet: http:\/\/127\.0\.0\.1:8080\/web: HTTP status 503/);
    assert.match(said, /rooted\.service on m1: is up, .*not passed yet: exec:\/bin\/sh .*: its program failed/);
    assert.equal((await unitOf("web.service")).active, "active", "systemd has no objection");
  });

  test("it has converged once they pass; another check restarts nothing", async () => {
    const before = await unitOf("rooted.service");
    await cluster.inside(MACHINE, "touch", WELL);
    await cluster.commit("whoever asks is no root", { "units/rooted.service": asks(IS_ROOT.replace("= 0", "!= 0")) });
    const { code, stdout, stderr } = await apply("--timeout", "20s");
    assert.equal(code, 0, stdout + stderr);
    const rooted = await unitOf("rooted.service");
    assert.deepEqual([rooted.health?.state, rooted.invocation], ["passing", before.invocation]);
    assert.notEqual(rooted.hash, before.hash);
  });

  test("one that fails later is told as unhealthy, is left to systemd, and is well again when it is", async () => {
    const before = await unitOf("web.service");
    assert.equal(before.health?.state, "passing");
    await cluster.inside(MACHINE, "rm", WELL);
    const failing = await eventually("it is told that its check fails", async () => {
      const seen = await unitOf("web.service");
      return seen.health?.state === "failing" && seen;
    });
    assert.match(failing.health!.detail, /HTTP status 503/);
    const { stdout } = await cluster.ask("status");
    assert.match(stdout, /web\.service\s+m1\S*\s+active\s+running\s+unhealthy/);
    assert.match(stdout, /1 unhealthy/);
    await cluster.inside(MACHINE, "touch", WELL);
    await eventually("it passes again", async () => (await unitOf("web.service")).health?.state === "passing");
    assert.equal((await unitOf("web.service")).invocation, before.invocation, "nobody restarted it");
  });

  test("checks leave nothing behind and say nothing in the journal", async () => {
    const units = await cluster.inside(
      MACHINE,
      "systemctl",
      "list-units",
      "--all",
      "--no-legend",
      "--state=failed,inactive",
    );
    assert.doesNotMatch(units, /fleet-health-/);
    const lines = await cluster
      .inside(MACHINE, "journalctl", "-q", "-o", "cat", "--grep=fleet-health-", "-n", "5", "--no-pager")
      .catch(() => "");
    assert.equal(lines.trim(), "");
  });
});
