import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { readSecretHeader } from "../../src/domain/secret/secret-header.ts";
import { makeTestRepository, type TestRepository } from "../contract/git-repository.ts";
import { type FleetResult, fleet, prepareFleet, shell } from "./fleet-process.ts";

const WEB = "[Service]\nExecStart=/bin/true\nLoadCredential=db:/run/fleet/secrets/%n/db-password\n";
/** In nothing that was not derived from the secret's value. */
const CANARY = randomBytes(18).toString("hex");

/** A machine's stanza, and its key as an agent keeps it. */
function machine(digit: string, extra = "") {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = `ed25519:${publicKey.export({ format: "jwk" }).x}`;
  return {
    stanza: `  m${digit}: { id: ${digit.repeat(32)}, key: "${key}"${extra} }\n`,
    pem: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}

describe("fleet secret", () => {
  let repository: TestRepository;
  let person: string;
  let manifest: (machines: readonly { stanza: string }[]) => string;
  const [m1, m2, m3] = [machine("1"), machine("2"), machine("3")];
  const run = (...words: string[]) => fleet(words, { cwd: repository.path });
  const file = "units/app/secrets/db-password.age";
  const text = () => readFileSync(join(repository.path, file), "utf8");
  const header = () => {
    const read = readSecretHeader(text());
    assert.ok("header" in read);
    return read.header;
  };

  before(async () => {
    await prepareFleet();
    person = await generateIdentity();
    const recipient = await identityToRecipient(person);
    manifest = (machines) =>
      `apiVersion: fleet/v1\ncluster: vault\nsecrets: { recipients: [${recipient}] }\nmachines:\n${machines.map(({ stanza }) => stanza).join("")}`;
    repository = makeTestRepository();
    repository.commit({ "fleet.yaml": manifest([m1, m2]), "units/app/web.service": WEB });
    mkdirSync(join(repository.path, "m1/identity"), { recursive: true, mode: 0o700 });
    writeFileSync(join(repository.path, "m1/identity/key.pem"), m1.pem, { mode: 0o600 });
    writeFileSync(join(repository.path, "m1/me.txt"), `# a person\n${person}\n`, { mode: 0o600 });
    writeFileSync(join(repository.path, ".gitignore"), "/m1/\n");
  });
  after(() => repository.remove());

  test("a commit is refused as long as the secret is not there, and says what to do", async () => {
    const refused = await run("validate");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /units\/app\/web\.service:3.*secret-missing/s);
    assert.match(refused.stderr, /fleet secret encrypt db-password/);
    assert.equal((await run("secret", "check")).code, 1);
  });

  test("encrypt writes it beside its unit, for each machine the unit may come to and for people", async () => {
    const written = await shell(`printf %s ${CANARY} | $FLEET secret encrypt db-password`, { cwd: repository.path });
    assert.equal(written.code, 0, written.stderr);
    assert.equal(written.stdout, `${file}: db-password for m1, m2 and 1 person\n`);
    assert.equal(header().tags.length, 2);
    assert.equal(header().others, 1);
    repository.commit({});
    const checked = await run("secret", "check");
    assert.equal(checked.code, 0, checked.stderr);
    assert.match(checked.stdout, /used by +web\.service\n +read by +m1, m2\n +also for +1 person/);
    assert.equal((await run("validate")).code, 0);
  });

  test("a machine that is listed later is refused at plan until the file is for it too", async () => {
    repository.commit({ "fleet.yaml": manifest([m1, m2, m3]) });
    for (const words of [["validate"], ["plan"], ["plan", "--json"]]) {
      const refused = await run(...words);
      assert.equal(refused.code, 1, words.join(" "));
      assert.match(
        `${refused.stdout}${refused.stderr}`,
        /web\.service may run on m3, which cannot read the secret db-password/,
      );
    }
    const checked = await run("secret", "check", "--json");
    assert.equal(checked.code, 1);
    const { secrets } = JSON.parse(checked.stdout);
    assert.deepEqual(
      secrets[0].machines.map((one: { machine: string; state: string }) => [one.machine, one.state]),
      [
        ["m1", "reads"],
        ["m2", "reads"],
        ["m3", "left-out"],
      ],
    );
    assert.match(secrets[0].machines[2].recipient, /^ssh-ed25519 AAAA/);
  });

  test("rotate encrypts it anew by a person's key and keeps its version, so that nothing restarts for it", async () => {
    const version = header().version;
    const rotated = await run("secret", "rotate", "--identity", "m1/me.txt");
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.equal(header().tags.length, 3);
    assert.equal(header().version, version);
    repository.commit({});
    assert.equal((await run("validate")).code, 0);
    assert.match((await run("secret", "rotate")).stdout, /every secret is encrypted to exactly whom it should be/);
  });

  test("rotate by a machine's own key takes a machine away, and says what that does not undo", async () => {
    repository.commit({ "fleet.yaml": manifest([m1, m3]) });
    const rotated = await run("secret", "rotate", "--state-directory", join(repository.path, "m1"));
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.match(rotated.stderr, /change its value too/);
    assert.equal(header().tags.length, 2);
    repository.commit({});
  });

  test("whoever cannot read it is told so, and nothing is written", async () => {
    const before = text();
    writeFileSync(join(repository.path, "m1/other.txt"), `${await generateIdentity()}\n`);
    const cases: readonly [string[], RegExp][] = [
      [
        ["rotate", "db-password", "--identity", "m1/other.txt"],
        /cannot read the secret db-password: it is encrypted to other keys/,
      ],
      [["rotate", "db-password", "--identity", "fleet.yaml"], /no identity of age/],
      [["rotate", "db-password", "--state-directory", "/nonexistent"], /no key here/],
      [["rotate", "nothing"], /no unit names the secret nothing/],
      [["encrypt", "nothing", "fleet.yaml"], /LoadCredential=nothing:\/run\/fleet\/secrets\/%n\/nothing/],
      [["encrypt", "db-password", "missing"], /cannot read .*missing/],
      [["encrypt", "db-password", "/dev/zero"], /more than 65536 bytes/],
      [["show", "db-password"], /not found|no command/i],
    ];
    for (const [words, expected] of cases) {
      const refused = await run("secret", ...words);
      assert.notEqual(refused.code, 0, words.join(" "));
      assert.match(refused.stderr, expected, words.join(" "));
    }
    assert.equal(text(), before);
  });

  test("the value is in nothing that any command prints or writes", async () => {
    const printed = (result: FleetResult) => `${result.stdout}${result.stderr}`;
    const outputs = await Promise.all(
      [
        ["validate", "--json"],
        ["plan", "--out", "plan.json"],
        ["plan", "--json"],
        ["plan", "--markdown"],
        ["plan", "--diff"],
        ["cat", "web.service"],
        ["diff", "HEAD~1", "HEAD"],
        ["secret", "check"],
        ["secret", "check", "--json"],
      ].map((words) => run(...words)),
    );
    assert.match(printed(outputs[5]!), /LoadCredential/);
    assert.doesNotMatch(
      `${printed(outputs[1]!)}${printed(outputs[2]!)}`,
      /BEGIN AGE/,
      "no plan has so much as the ciphertext",
    );
    const all = `${outputs.map(printed).join("")}${readFileSync(join(repository.path, "plan.json"), "utf8")}${text()}`;
    assert.match(all, /web\.service/);
    for (const form of [CANARY, Buffer.from(CANARY).toString("base64"), Buffer.from(CANARY).toString("hex")]) {
      assert.ok(!all.includes(form));
    }
  });
});
