/** What people, units and branches can put into a plan, and what must not come of it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";
import { parseMarker } from "../../src/action/marker.ts";
import { ActionWorld, planAt } from "./action-world.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const COMMENT_MAX = 65_536;
const STACK = /^ +at .*:\d+:\d+\)?$/m;

describe("hostile and huge plans", { concurrency: false }, () => {
  let world: ActionWorld;
  before(async () => {
    world = await ActionWorld.start();
  });
  after(() => world?.stop());
  afterEach(() => {
    world.github.reset();
    world.repository.git(["rm", "-rq", "--ignore-unmatch", "units"]);
  });
  const plan = (inputs: Record<string, string> = {}) =>
    world.run({ event: "pull_request", inputs: { command: "plan", ...inputs } });

  test("a secret in a unit or an input is nowhere to be read: log, outputs, summary, comment, files", async () => {
    const unit =
      "[Service]\nExecStart=/bin/true\nEnvironment=DB_PASSWORD=canary-of-the-unit\nExecStartPre=/bin/login --token=canary-of-the-unit\n";
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": unit });
    const result = await plan({
      "etcd-key": "-----BEGIN PRIVATE KEY-----\ncanary-of-the-key\n-----END PRIVATE KEY-----",
    });
    assert.equal(result.code, 0, result.log);
    const seen = [result.all, ...world.github.own(7).map(({ body }) => body)].join("\n");
    assert.match(seen, /DB_PASSWORD=\*{8}/);
    for (const canary of ["canary-of-the-unit", "canary-of-the-key", "canary-of-the-token"])
      assert.ok(!seen.includes(canary), canary);
  });

  test("a unit's text ends no fence, calls nobody, and gives the runner no order", async () => {
    const lines = [
      "Description=```` </details> <script> <!-- --> @org/everyone ::error::pwned ##[error]pwned",
      "ExecStart=/bin/echo ::set-output name=changes::false",
    ];
    world.commit({
      "fleet.yaml": MANIFEST,
      "units/web.service": `[Unit]\n${lines[0]}\n[Service]\n${lines[1]}\n`,
      "units/mail@everyone.service": "[Service]\nExecStart=/bin/true\n",
    });
    const { code, log } = await plan();
    assert.equal(code, 0, log);
    const { body } = world.github.own(7)[0]!;
    const fence = /^(`{3,})diff$/m.exec(body)![1]!;
    assert.ok(fence.length > 4, "longer than what is in it");
    assert.equal(body.split("\n").filter((line) => line === fence).length, 1, "closed once");
    assert.doesNotMatch(outsideOfFences(body), /(^|[^`\w])@org/m);
    let isStopped = false;
    for (const line of log.split("\n")) {
      const stop = /^::stop-commands::(\S+)$/.exec(line)?.[1];
      if (stop !== undefined) isStopped = true;
      else if (isStopped && /^::[0-9a-f]{32}::$/.test(line)) isStopped = false;
      else if (!isStopped) assert.doesNotMatch(line, /pwned|set-output/);
    }
    assert.match(log, /pwned/, "it is shown");
  });

  test("a hostile branch, actor and label are text, and an output that looks like the end of one is none", async () => {
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": "[Service]\nExecStart=/bin/true\n" });
    const result = await world.run({
      event: "pull_request",
      inputs: { command: "plan", label: "--> @all <b>`x`" },
      env: {
        GITHUB_REF: "refs/heads/$(id)\n::error::x",
        GITHUB_ACTOR: "mallory](javascript:x) @all",
        GITHUB_REPOSITORY: "acme/infra",
      },
    });
    assert.equal(result.code, 0, result.log);
    const [marker, ...rest] = world.github.own(7)[0]!.body.split("\n");
    assert.equal(parseMarker(`${marker}\n`)?.label, "--> @all <b>`x`");
    assert.equal(marker!.indexOf("-->"), marker!.length - 3);
    const sub = rest.find((line) => line.startsWith("<sub>"))!;
    assert.doesNotMatch(sub, /@all|<b>|[^\\]\]\(j/);
  });

  test("a fork's pull request: no secrets, a token that may only read; green, and the plan is in the summary", async () => {
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": "[Service]\nExecStart=/bin/true\n" });
    const body = { message: "Resource not accessible by integration" };
    world.github.script({ method: "POST", path: /comments$|graphql/, status: 403, body, times: 9 });
    const inputs = { command: "plan", registry: "none", "step-summary": "false" };
    const result = await world.run({ event: "fork", inputs });
    assert.deepEqual([result.code, result.outputs["failure-reason"]], [0, ""], result.log);
    assert.match(
      result.outputs.warnings!,
      /403: Resource not accessible.*of a fork's pull request the token may only read/,
    );
    assert.match(result.summary, /### shop: 1 file changes\n/);
    assert.deepEqual(world.github.own(7), []);
    assert.doesNotMatch(result.log, STACK);
  });

  test("CRLF: the finding says where, and no line end of the file's is in outputs, annotations or comment", async () => {
    world.commit({
      "fleet.yaml": MANIFEST.replaceAll("\n", "\r\n"),
      "units/web.service": "[Service]\r\nExecStart=/bin/true\r\n",
    });
    const { code, log, all } = await plan();
    assert.equal(code, 1, log);
    assert.match(log, /^::error title=unit-carriage-return,file=units\/web\.service,line=1/m);
    assert.doesNotMatch(all + world.github.own(7)[0]!.body, /\r/);
    world.commit({ "units/web.service": "[Service]\nExecStart=/bin/true\n" });
    const mended = await plan();
    assert.equal(mended.code, 0, mended.log);
    assert.doesNotMatch(mended.all + world.github.own(7)[0]!.body, /\r/);
  });

  const NAMES: readonly [name: string, why: string, shown: RegExp][] = [
    ["$(touch pwned)`id`.service", "validation", /touch pwned/],
    ["a\n::error::pwned.service", "tree-name-refused", /pwned/],
    ["<img src=x>@org.service", "validation", /img src/],
    ["| @org/team #1 [x](javascript:y).service", "validation", /javascript/],
  ];
  for (const [name, why, shown] of NAMES) {
    test(`a hostile name of a file is text: ${JSON.stringify(name)}`, async () => {
      world.commit({ "fleet.yaml": MANIFEST, [`units/${name}`]: "[Service]\nExecStart=/bin/true\n" });
      const result = await plan();
      assert.deepEqual([result.code, result.outputs["failure-reason"]], [1, why], result.log);
      assert.doesNotMatch(result.log.replace(/^::stop-commands::(\S+)\n[\s\S]*?^::\1::$/gm, ""), /^::error::pwned/m);
      assert.doesNotMatch(result.log, STACK);
      const { body } = world.github.own(7)[0]!;
      assert.match(body, shown);
      assert.match(body, /This commit cannot be planned/);
      assert.equal(parseMarker(body)?.contentId, null);
      assert.doesNotMatch(body, /<img|(^|[^\\])`id|@org|^::error|\]\(java|(^|\s)#1/m);
    });
  }

  test("a secret on a line that is wrong is not shown by the finding, the comment or the summary", async () => {
    world.commit({
      "fleet.yaml": MANIFEST,
      "units/web.service": "[Service]\nExecStart=/bin/true\nEnviroment=DB_PASSWORD=canary-of-the-typo\n",
    });
    const result = await plan();
    const seen = [result.all, ...world.github.own(7).map(({ body }) => body)].join("\n");
    assert.match(seen, /Enviroment/);
    assert.ok(!seen.includes("canary-of-the-typo"), seen);
  });

  test("wound 11: of a plan of 5 MB the comment is cut on a line and not to be approved; the file is whole and the step green", async () => {
    const templates = ["a", "b", "c", "d", "e"].map((letter) => `${letter.repeat(180)}@.service`);
    const [text, instances] = ["[Unit]\nDescription=🚀🚀🚀 %i\n[Service]\nExecStart=/bin/echo %i\n", "instances: 1000"];
    world.commit({
      "fleet.yaml": `${MANIFEST}units:\n${templates.map((name) => `  ${name}: { ${instances} }\n`).join("")}`,
      ...Object.fromEntries(templates.map((name) => [`units/${name}`, text])),
    });
    const { code, outputs, log } = await plan();
    assert.equal(code, 0, log.slice(0, 1_000));
    const bytes = readFileSync(outputs["plan-path"]!).length;
    assert.ok(bytes > 5_000_000, `${bytes} bytes`);
    assert.equal(planAt(outputs["plan-path"]!).changes.length, 5_000);
    const { body } = world.github.own(7)[0]!;
    assert.ok(body.length < COMMENT_MAX && body.isWellFormed(), `${body.length} characters`);
    assert.equal(parseMarker(body)?.truncated, true);
    assert.ok(body.includes("\n**Truncated: do not approve from this"));
    assert.equal((body.match(/<details>/g) ?? []).length, (body.match(/<\/details>/g) ?? []).length);
  });
});

function outsideOfFences(body: string): string {
  return body.replace(/^(`{3,})[a-z]*\n[\s\S]*?^\1$/gm, "");
}
