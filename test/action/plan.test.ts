/** `command: plan` on a pull request, as a runner runs it, against a server that stands for GitHub. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";
import { parseMarker, printMarker, type ReviewMarker } from "../../src/action/marker.ts";
import { ActionWorld, planAt, type RunOptions, type RunResult } from "./action-world.ts";
import { BOT, type Script } from "./github-server.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: shop\nadmit: any\n";
const service = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\nRestart=always\n`;
const MARKER: ReviewMarker = {
  ...{ manifest: "fleet.yaml", label: "", contentId: "c".repeat(64), clusterId: null, commit: "d".repeat(40) },
  ...{ truncated: false, closed: false, changes: [] },
};
const OLD = `${printMarker(MARKER)}\n### an old plan\n`;
const COMMENTS = /\/issues\/7\/comments$/;

function quiet({ log }: RunResult): void {
  assert.doesNotMatch(log, /^ +at .*:\d+:\d+\)?$/m, "no stack trace");
}

describe("plan on a pull request", { concurrency: false }, () => {
  let world: ActionWorld;
  before(async () => {
    world = await ActionWorld.start();
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": service("one") });
  });
  after(() => world?.stop());
  afterEach(() => world.github.reset());
  const plan = (inputs: RunOptions["inputs"] = {}, rest: Partial<RunOptions> = {}) =>
    world.run({ event: "pull_request", ...rest, inputs: { command: "plan", ...inputs } });

  test("the first run comments, and is green on changes", async () => {
    const { code, outputs, log, summary } = await plan();
    assert.equal(code, 0, log);
    const [comment, ...others] = world.github.own(7);
    assert.equal(others.length, 0);
    assert.match(comment!.body, /^<!-- fleet:plan \{.*\} -->\n### shop: 1 file changes: 0 restarts, 1 start\n/);
    assert.match(summary, /### shop/);
    const written = planAt(outputs["plan-path"]!);
    assert.equal(outputs["content-id"], written.contentId);
    assert.equal(parseMarker(comment!.body)?.contentId, written.contentId);
    const { changes, exitcode, "to-add": added, "failure-reason": why, warnings } = outputs;
    assert.deepEqual([changes, exitcode, added, why, warnings], ["true", "2", "1", "", ""]);
    assert.match(outputs["comment-url"]!, /^https:/);
    assert.match(readFileSync(outputs["text-plan-path"]!, "utf8"), /web\.service/);
    assert.deepEqual([...world.github.tokens], ["Bearer canary-of-the-token"]);
  });

  /** What is there before the run; what is there after it. */
  const UPSERTS: readonly {
    readonly name: string;
    readonly given: () => void;
    readonly inputs?: RunOptions["inputs"];
    readonly expect: () => void;
  }[] = [
    {
      name: "an open comment is edited, and no other is written",
      given: () => world.github.comment(7, OLD, BOT),
      expect: () => {
        assert.equal(world.github.own(7).length, 1);
        assert.match(world.github.own(7)[0]!.body, /### shop:/);
      },
    },
    {
      name: "101 comments: it is found on the second page, behind a hundred others",
      given: () => {
        for (let index = 0; index < 100; index++) world.github.comment(7, `talk ${index}`);
        world.github.comment(7, OLD, BOT);
      },
      expect: () => assert.match(world.github.own(7)[0]!.body, /### shop:/),
    },
    {
      name: "of a closed one a record stays, folded away, and the plan gets another",
      given: () => world.github.comment(7, `${printMarker({ ...MARKER, closed: true })}\napplied\n`, BOT),
      expect: () => {
        const [closed, open] = world.github.own(7);
        assert.match(closed!.body, /applied/);
        assert.deepEqual([closed!.minimized, open!.minimized], [true, false]);
        assert.match(open!.body, /### shop:/);
      },
    },
    {
      name: "a comment that somebody else made to look like ours is left alone",
      given: () => world.github.comment(7, OLD, "mallory"),
      expect: () => {
        assert.equal(world.github.comments.get(7)![0]!.body, OLD);
        assert.match(world.github.own(7)[0]!.body, /### shop:/);
      },
    },
    {
      name: "CRLF, which a browser makes of its line ends, does not hide it",
      given: () => world.github.comment(7, OLD.replaceAll("\n", "\r\n"), BOT),
      expect: () => assert.equal(world.github.own(7).length, 1),
    },
    {
      name: "a marker that somebody damaged is none",
      given: () => world.github.comment(7, "<!-- fleet:plan {] -->\n", BOT),
      expect: () => assert.equal(world.github.own(7).length, 2),
    },
    {
      name: "another label is another plan",
      given: () => world.github.comment(7, OLD, BOT),
      inputs: { label: "west" },
      expect: () => {
        assert.equal(world.github.own(7)[0]!.body, OLD);
        assert.match(world.github.own(7)[1]!.body, /plan of west for alice/);
      },
    },
    {
      name: "of two open ones, which a race leaves, the older is folded away",
      given: () => {
        world.github.comment(7, OLD, BOT);
        world.github.comment(7, OLD, BOT);
      },
      expect: () =>
        assert.deepEqual(
          world.github.own(7).map(({ minimized }) => minimized),
          [true, false],
        ),
    },
    {
      name: "always-new: another one each time",
      given: () => world.github.comment(7, OLD, BOT),
      inputs: { comment: "always-new" },
      expect: () =>
        assert.deepEqual(
          world.github.own(7).map(({ minimized }) => minimized),
          [true, false],
        ),
    },
    {
      name: "false: none",
      given: () => {},
      inputs: { comment: "false" },
      expect: () => assert.deepEqual(world.github.requests, []),
    },
    {
      name: "a token that may not ask who it is speaks as the actions' own",
      given: () => {
        world.github.viewer = null;
        world.github.comment(7, OLD, BOT);
      },
      expect: () => assert.equal(world.github.own(7).length, 1),
    },
  ];
  for (const { name, given, inputs = {}, expect } of UPSERTS) {
    test(name, async () => {
      given();
      const result = await plan(inputs);
      assert.equal(result.code, 0, result.log);
      assert.equal(result.outputs.warnings, "");
      expect();
    });
  }

  const REFUSALS: readonly { readonly name: string; readonly script: Script; readonly warning: RegExp }[] = [
    {
      name: "403, as of a fork's token",
      script: {
        method: "POST",
        path: COMMENTS,
        status: 403,
        body: { message: "Resource not accessible by integration" },
      },
      warning: /with 403: Resource not accessible by integration; give the job the permission/,
    },
    {
      name: "404",
      script: { method: "GET", path: /comments/, status: 404, body: { message: "Not Found" } },
      warning: /with 404: Not Found; check github-token/,
    },
    {
      name: "401",
      script: { method: "GET", path: /comments/, status: 401, body: { message: "Bad credentials" } },
      warning: /Bad credentials; check github-token/,
    },
    {
      name: "422 also of the short text",
      script: { method: "POST", path: COMMENTS, status: 422, body: { message: "locked" }, times: 2 },
      warning: /422: locked/,
    },
    {
      name: "a rate limit for an hour",
      script: { method: "GET", path: /comments/, status: 429, headers: { "retry-after": "3600" } },
      warning: /429.*run again later/,
    },
    {
      name: "a page of a proxy",
      script: { method: "GET", path: /comments/, status: 200, body: "<html>sign in</html>" },
      warning: /sent no JSON; check GITHUB_API_URL/,
    },
    {
      name: "something else than comments",
      script: { method: "GET", path: /comments/, status: 200, body: { comments: [] } },
      warning: /sent no list/,
    },
    {
      name: "an old comment that cannot be folded away",
      script: { method: "POST", path: /graphql/, status: 403, body: { message: "no" } },
      warning: /403: no/,
    },
  ];
  for (const { name, script, warning } of REFUSALS) {
    test(`what GitHub refuses is a warning, and the plan is in the summary: ${name}`, async () => {
      if (name.includes("folded")) {
        world.github.comment(7, `${printMarker({ ...MARKER, closed: true })}\n`, BOT);
        world.github.script({ ...script, status: 200, body: { data: { viewer: { login: BOT } } } });
      }
      world.github.script(script);
      const result = await plan({ "step-summary": "false" });
      assert.deepEqual([result.code, result.outputs["failure-reason"]], [0, ""], result.log);
      assert.match(result.log, /^::warning::the pull request was not commented on: /m);
      assert.match(result.outputs.warnings!, warning);
      assert.match(result.summary, /### shop:/);
      quiet(result);
    });
  }

  const RETRIES: readonly { readonly name: string; readonly script: Script }[] = [
    {
      name: "a rate limit that is over at once",
      script: { method: "POST", path: COMMENTS, status: 429, headers: { "retry-after": "0" } },
    },
    {
      name: "a secondary limit, which is a 403",
      script: {
        method: "POST",
        path: COMMENTS,
        status: 403,
        headers: { "retry-after": "0" },
        body: { message: "secondary rate limit" },
      },
    },
    { name: "a server that stumbles", script: { method: "GET", path: /comments/, status: 502, body: "<html>" } },
    {
      name: "an answer that was lost after the comment was written",
      script: { method: "POST", path: COMMENTS, status: 502, after: true },
    },
    { name: "one that was not written", script: { method: "POST", path: COMMENTS, status: 502 } },
  ];
  for (const { name, script } of RETRIES) {
    test(`tried again, and written once: ${name}`, async () => {
      world.github.script(script);
      const result = await plan();
      assert.deepEqual([result.code, result.outputs.warnings], [0, ""], result.log);
      assert.equal(world.github.own(7).length, 1);
    });
  }

  test("a text that GitHub counts longer than we do is cut short, and is none to approve", async () => {
    world.github.script({ method: "POST", path: COMMENTS, status: 422, body: { message: "body is too long" } });
    const { code, summary } = await plan();
    assert.equal(code, 0);
    const { body } = world.github.own(7)[0]!;
    assert.equal(parseMarker(body)?.truncated, true);
    assert.match(body, /### shop: [^\n]*\n\n\n\*\*Truncated: do not approve/);
    assert.match(summary, /web\.service/);
  });

  for (const event of ["push", "merge_group", "schedule"] as const) {
    test(`without a pull request (${event}) there is a summary, and nobody asks GitHub`, async () => {
      const result = await plan({}, { event });
      assert.deepEqual([result.code, result.outputs.warnings], [0, ""]);
      assert.match(result.summary, /### shop/);
      assert.deepEqual(world.github.requests, []);
    });
  }

  test("without a token the pull request stays as it is, which is said", async () => {
    const result = await plan({ "github-token": "" });
    assert.equal(result.code, 0);
    assert.match(result.outputs.warnings!, /github-token is empty/);
  });

  test("an event that is no JSON is one without a pull request", async () => {
    const result = await plan({}, { env: { GITHUB_EVENT_PATH: "/dev/null" } });
    assert.deepEqual([result.code, world.github.requests], [0, []]);
  });

  test("two clusters on one pull request have a comment each", async () => {
    world.commit({ "west/fleet.yaml": MANIFEST.replace("shop", "west"), "west/units/db.service": service("db") });
    for (const manifest of ["fleet.yaml", "west/fleet.yaml", "fleet.yaml"])
      assert.equal((await plan({ manifest })).code, 0);
    const bodies = world.github.own(7).map(({ body }) => body.split("\n")[1]!.split(":")[0]);
    assert.deepEqual(bodies, ["### shop", "### west"]);
  });

  test("no cluster: what would run is shown, and green", async () => {
    const result = await plan({ registry: "none" });
    assert.deepEqual([result.code, result.outputs["registry-revision"]], [0, "0"]);
    assert.match(result.outputs.summary!, /^shop: 1 to run, on machines nobody knows yet$/);
  });

  test("a registry that is not there is an error with a next step, and no stack trace", async () => {
    const result = await plan({ registry: "unix:/nowhere.sock" });
    assert.equal(result.code, 1);
    assert.match(result.log, /^::error title=registry-/m);
    quiet(result);
  });

  test("changes-only: none before there are changes", async () => {
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": null, "units/.gitkeep": "" });
    assert.equal((await plan({ comment: "changes-only" })).code, 0);
    assert.deepEqual(world.github.own(7), []);
    const none = await plan();
    assert.match(world.github.own(7)[0]!.body, /### shop: no changes/);
    assert.deepEqual([none.outputs.changes, none.outputs.exitcode], ["false", "0"]);
    world.commit({ "units/web.service": service("one") });
  });
});

const WRONG_INPUTS: readonly { readonly inputs: Record<string, string>; readonly says: RegExp }[] = [
  { inputs: { command: "" }, says: /command is missing/ },
  { inputs: { command: "destroy" }, says: /command is "destroy", and must be one of plan, apply/ },
  { inputs: { command: "validate", "auto-approve": "yes" }, says: /auto-approve is "yes", and must be true or false/ },
  {
    inputs: { command: "plan", timeout: "5", comment: "maybe" },
    says: /timeout is "5".*; comment is "maybe"|comment.*timeout/,
  },
  { inputs: { command: "plan", label: "a\nb" }, says: /label must be one line/ },
  { inputs: { command: "validate", "working-directory": "nowhere" }, says: /nowhere/ },
];

describe("what makes a step red", { concurrency: false }, () => {
  let world: ActionWorld;
  before(async () => {
    world = await ActionWorld.start();
    world.commit({ "fleet.yaml": MANIFEST, "units/web.service": service("one") });
  });
  after(() => world?.stop());
  afterEach(() => world.github.reset());

  for (const { inputs, says } of WRONG_INPUTS) {
    test(`wound 10: ${JSON.stringify(inputs)} is never taken for success`, async () => {
      const result = await world.run({ inputs });
      assert.deepEqual([result.code, result.outputs.exitcode], [1, "1"]);
      assert.match(result.outputs.summary!, says);
      assert.match(result.log, /^::error title=/m);
      quiet(result);
    });
  }

  test("what is wrong with the commit stands on its lines, and no old plan passes for this commit's", async () => {
    world.github.comment(7, OLD, BOT);
    world.commit({
      "units/web.service": `${service("one")}[Unit]\nBindTo=db.service\n`,
      "units/x@.service": "no section\n",
    });
    const result = await world.run({ event: "pull_request", inputs: { command: "plan" } });
    assert.deepEqual([result.code, result.outputs["failure-reason"]], [1, "validation"]);
    assert.match(result.log, /^::(error|warning) title=[a-z-]+,file=units\/web\.service,line=5(,col=1)?::.*BindsTo/m);
    const { body } = world.github.own(7)[0]!;
    assert.equal(parseMarker(body)?.contentId, null);
    assert.match(body, /^### fleet\.yaml: \d+ errors?/m);
    assert.match(body, /This commit cannot be planned/);
    const validated = await world.run({ inputs: { command: "validate" } });
    assert.deepEqual([validated.code, validated.outputs["failure-reason"]], [1, "validation"]);
    assert.match(validated.log, /^::error title=[a-z-]+,file=units\/x@\.service/m);
    world.commit({ "units/web.service": service("one"), "units/x@.service": null });
    const mended = await world.run({ inputs: { command: "validate" } });
    assert.deepEqual(
      [mended.code, mended.outputs.summary],
      [0, `shop: 1 unit in 1 group is valid at ${mended.outputs.commit!.slice(0, 7)}`],
    );
  });

  test("of more findings than a runner shows, the worst come first and the rest is counted", async () => {
    const broken = Object.fromEntries(
      Array.from({ length: 14 }, (_, index) => [`units/b${index}.service`, "no section\n"]),
    );
    world.commit(broken);
    const { log } = await world.run({ inputs: { command: "validate" } });
    const errors = log.match(/^::error /gm)!.length;
    assert.ok(errors <= 10, `${errors} errors`);
    assert.match(log, /^::error::and \d+ more: the log has all of them$/m);
    world.commit(Object.fromEntries(Object.keys(broken).map((path) => [path, null])));
  });

  test("tests of the repository are judged, and one that fails is red", async () => {
    const none = await world.run({ inputs: { command: "test" } });
    assert.deepEqual([none.code, none.outputs["failure-reason"]], [1, "no-tests"]);
  });

  const VERDICTS: readonly { readonly inputs: Record<string, string>; readonly code: number; readonly why: string }[] =
    [
      { inputs: {}, code: 0, why: "" },
      { inputs: { "detailed-exitcode": "true" }, code: 2, why: "changes" },
      { inputs: { "detailed-exitcode": "TRUE" }, code: 2, why: "changes" },
      { inputs: { "fail-on-changes": "true" }, code: 1, why: "changes" },
      { inputs: { "n-1": "true", comment: "false" }, code: 0, why: "" },
    ];
  for (const { inputs, code, why } of VERDICTS) {
    test(`a plan with changes and ${JSON.stringify(inputs)} ends with ${code}`, async () => {
      const result = await world.run({ inputs: { command: "plan", ...inputs } });
      assert.deepEqual([result.code, result.outputs["failure-reason"], result.outputs.exitcode], [code, why, "2"]);
    });
  }

  test("what stays down when a machine is lost is red if asked, and said in any case", async () => {
    world.commit({ "units/web.service": `${service("one")}[X-Fleet]\nMove=never\n` });
    const inputs = { command: "plan", "n-1": "true" };
    const result = await world.run({ inputs });
    assert.deepEqual(
      [result.code, result.outputs["failure-reason"], result.outputs["survives-loss"]],
      [1, "n-1", "false"],
    );
    const told = await world.run({ inputs: { command: "plan" } });
    assert.deepEqual([told.code, told.outputs["survives-loss"]], [0, "false"]);
    world.commit({ "units/web.service": service("one") });
  });

  test("a unit that fits nowhere is red", async () => {
    world.commit({ "units/web.service": `${service("one")}[X-Fleet]\nMachineMetadata=disk=ssd\n` });
    const result = await world.run({ event: "pull_request", inputs: { command: "plan" } });
    assert.deepEqual([result.code, result.outputs["failure-reason"]], [1, "unplaceable"]);
    assert.match(world.github.own(7)[0]!.body, /web\.service.* fits on no machine/);
    world.commit({ "units/web.service": service("one") });
  });
});
