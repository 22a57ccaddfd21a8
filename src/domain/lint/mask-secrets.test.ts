import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "../../../test/property/fast-check.ts";
import { maskSecrets } from "./mask-secrets.ts";

const RANDOM = "Zq7Rk2Vw9Xb4Ty8Lm3Np";

describe("secrets are masked", () => {
  const cases: [sentence: string, text: string, masked: string][] = [
    ["a variable by its name", "Environment=DB_PASSWORD=hunter2", "Environment=DB_PASSWORD=********"],
    ["its neighbours stay", "Environment=A=b DB_PASSWORD=hunter2 C=d", "Environment=A=b DB_PASSWORD=******** C=d"],
    ["quoted around", 'Environment="DB_PASSWORD=hun ter2" C=d', 'Environment="DB_PASSWORD=********" C=d'],
    ["quoted inside", "Environment=DB_PASSWORD='hun ter2' C=d", "Environment=DB_PASSWORD='********' C=d"],
    ["a quote escaped inside", 'Environment="API_KEY=a\\"b c"', 'Environment="API_KEY=********"'],
    ["a quote never closed", 'Environment="API_KEY=a b\nC=d', 'Environment="API_KEY=********\nC=d'],
    ["in camel case", "Environment=dbPassword=x", "Environment=dbPassword=********"],
    ["without separator", "Environment=PGPASSWORD=x", "Environment=PGPASSWORD=********"],
    ["abbreviated", "Environment=DB_PW=x", "Environment=DB_PW=********"],
    ["quoted in the middle", 'Environment=DB_PASSWORD=x"y z" C=d', "Environment=DB_PASSWORD=******** C=d"],
    [
      "inside a shell's quotes",
      `ExecStart=/bin/sh -c "x --password=a -v" b`,
      `ExecStart=/bin/sh -c "x --password=******** -v" b`,
    ],
    [
      "in escaped quotes inside a shell's",
      'ExecStart=/bin/sh -c "x --password=\\"a b\\" -v" b',
      'ExecStart=/bin/sh -c "x --password=\\"********\\" -v" b',
    ],
    [
      "with a dollar, which Environment= takes as it is",
      "Environment=DB_PASSWORD=$ecret1",
      "Environment=DB_PASSWORD=********",
    ],
    ["a hash", "Environment=USER_PASSWORD=$2b$10$abc", "Environment=USER_PASSWORD=********"],
    ["of several words in the manifest", "  DB_PASSWORD: two words", "  DB_PASSWORD: ********"],
    ["of several words in a mapping", "{ DB_PASSWORD: two words, B: c }", "{ DB_PASSWORD: ********, B: c }"],
    ["over lines in the manifest", '  DB_PASSWORD: "two\n    words"\n', '  DB_PASSWORD: "********\n********"\n'],
    ["numbered", "Environment=TOKEN2=abc", "Environment=TOKEN2=********"],
    ["in a comment", "# SECRET_KEY=abc", "# SECRET_KEY=********"],
    [
      "on its own line of a continuation",
      "Environment=A=b \\\n  DB_PASSWORD=hunter2 \\\n  C=d\n",
      "Environment=A=b \\\n  DB_PASSWORD=******** \\\n  C=d\n",
    ],
    [
      "broken by a continuation",
      'Environment="DB_PASSWORD=hun\\\n ter2"\nA=b\n',
      'Environment="DB_PASSWORD=********\\\n********"\nA=b\n',
    ],
    ["a flag with =", "ExecStart=/bin/x --password=hunter2 -v", "ExecStart=/bin/x --password=******** -v"],
    ["a flag with a blank", "ExecStart=/bin/x --api-key hunter2 -v", "ExecStart=/bin/x --api-key ******** -v"],
    ["a flag's value on the next line", "ExecStart=/x --token \\\n  abc", "ExecStart=/x --token \\\n  ********"],
    ["with blanks around the =", "# password = abc", "# password = ********"],
    [
      "redis",
      "ExecStart=/bin/redis-server --requirepass hunter2",
      "ExecStart=/bin/redis-server --requirepass ********",
    ],
    ["docker's -e", "ExecStart=/bin/docker run -e PW_TOKEN=abc x", "ExecStart=/bin/docker run -e PW_TOKEN=******** x"],
    ["a header", `ExecStart=/bin/curl -H "X-Api-Key: abc" u`, `ExecStart=/bin/curl -H "X-Api-Key: ********" u`],
    [
      "a bearer",
      "ExecStart=/c -H 'Authorization: Bearer abcdefgh'",
      "ExecStart=/c -H 'Authorization: Bearer ********'",
    ],
    ["a key without scheme", "ExecStart=/c -H 'authorization: abcdefgh'", "ExecStart=/c -H 'authorization: ********'"],
    ["redis's variable", "Environment=REDISCLI_AUTH=abc", "Environment=REDISCLI_AUTH=********"],
    ["a URL's password", "Environment=DB=postgres://app:hunter2@db/x", "Environment=DB=postgres://app:********@db/x"],
    ["in mount options", "Options=user=a,password=b,uid=1", "Options=user=a,password=********,uid=1"],
    ["a literal credential", "SetCredential=db: a b c\n", "SetCredential=db:********\n"],
    ["of the manifest", "environment: { DB_PASSWORD: hunter2 }", "environment: { DB_PASSWORD: ******** }"],
    ["among others of the manifest", "{ A_TOKEN: ab, B: c }", "{ A_TOKEN: ********, B: c }"],
    ["quoted in the manifest", '  "A_TOKEN": "a b"', '  "A_TOKEN": "********"'],
    [
      "a block of the manifest",
      "  A_TOKEN: |\n    ab\n\n    cd\n  B: c\n",
      "  A_TOKEN: |\n********\n\n********\n  B: c\n",
    ],
    [
      "a private key",
      "A=-----BEGIN RSA PRIVATE KEY-----\\\nabc\\\n-----END RSA PRIVATE KEY-----\nB=c",
      "A=********\\\n********\\\n********\nB=c",
    ],
    ["a private key without end", "A=-----BEGIN PRIVATE KEY-----\nabc", "A=********\n********"],
    ["podman's --secret given a value", `X=--secret ${RANDOM}`, "X=--secret ********"],
  ];
  for (const [sentence, text, masked] of cases) test(sentence, () => assert.equal(maskSecrets(text), masked));

  const shapes = [
    "AKIAABCDEFGHIJKLMNOP",
    `ghp_${"a1B2".repeat(9)}`,
    `github_pat_${"a1B2_".repeat(6)}`,
    `glpat-${"a1B2".repeat(5)}`,
    "xoxb-123456789012-abcdefghijkl",
    `sk_live_${"a1B2".repeat(6)}`,
    `sk-ant-${"a1B2-".repeat(8)}z`,
    `AIza${"a1B2c".repeat(7)}`,
    `npm_${"a1B2".repeat(9)}`,
    `hvs.${"a1B2".repeat(6)}`,
    `SG.${"a1B2".repeat(5)}.${"a1B2".repeat(10)}`,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_",
  ];
  for (const token of shapes) {
    test(`${token.slice(0, 8)}… by its form, under any name`, () =>
      assert.equal(maskSecrets(`Environment="X=${token}" Y=z`), 'Environment="X=********" Y=z'));
  }
});

describe("what is none stays", () => {
  const texts = [
    "Environment=DB_PASSWORD_FILE=/run/secrets/db TOKEN_TTL=3600 SECRET_NAME=db KEY_ID=1",
    "Environment=DB_PASSWORD=$" + "{DB_PASSWORD} A_TOKEN=$TOKEN B_TOKEN=%d/token",
    "Environment=API_TOKEN=/run/credentials/x/token",
    "Environment=API_KEY= OTHER=x",
    "Environment=API_KEY=<your key> PASSWORD=***",
    "Environment=MAX_TOKEN=4096 USE_PASSWORD=true",
    "Environment=TOKENIZERS_PARALLELISM=false PWD=/srv COMPASS=north MONKEY=george",
    "Secret=db-password,type=env,target=DB_PASSWORD",
    "ExecStart=/bin/podman run --secret db-password,type=mount --name x",
    "ExecStart=/bin/docker run -u 1000:1000 --user nobody:nogroup -p 80:80 x",
    "Description=Rotates the password of the database",
    "LoadCredential=db-password:/etc/secrets/db",
    "LoadCredentialEncrypted=token:/etc/credstore/token",
    "ExecStart=/bin/x --token-file /run/token --no-password --verbose",
    "ExecStart=/bin/x --password --verbose",
    "SetCredentialEncrypted=token: abc",
    "ExecStartPre=/bin/sh -c 'mount -o name=admin,secret=`etcdctl get /key`,context=x'",
    "Documentation=https://example.org:8080/token",
    "AUTH_TOKEN=https://vault.example/v1",
    "PassEnvironment=DB_PASSWORD",
    "Description=Basic authentication for the bearer",
    "ExecStart=/bin/curl -H 'Authorization: Bearer $TOKEN' u",
    "Environment=ENABLE_AUTH=oidc",
    "Environment=REDISCLI_AUTH=$" + "{REDIS_HOST_PASSWORD}",
    "[Service]\nTimeoutStopSec=5\n",
  ];
  for (const text of texts) test(text, () => assert.equal(maskSecrets(text), text));
});

const piece = fc.constantFrom(
  ..."A|_|PASSWORD|TOKEN|=|:| |\n|\\\n|\"|'|x|canary|--|,|{|}|-----BEGIN PRIVATE KEY-----|://u:|@|SetCredential=".split(
    "|",
  ),
);

describe("for any text", () => {
  test("lines are as many as before, and what is masked once is masked for good", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join("");
        const masked = maskSecrets(text);
        assert.equal(masked.split("\n").length, text.split("\n").length);
      }),
      { numRuns: 2000 },
    );
  });

  test("a secret behind its name is gone, whatever stands around", () => {
    const around = fc.array(
      piece.filter((one) => one !== "canary" && !/["'\\]/.test(one)),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(around, around, (before, after) => {
        const text = `${before.join("")}\nEnvironment=DB_PASSWORD=canary2 ${after.join("")}`;
        assert.ok(!maskSecrets(text).includes("canary2"), text);
      }),
      { numRuns: 2000 },
    );
  });

  test("of a value as systemd takes it nothing is left, however it is quoted and continued", () => {
    const inner = fc.array(fc.constantFrom("canary", "a", ",", ")", "=", ":", "#", "$", "%", ";", "\\\\", "\\x20"), {
      minLength: 1,
      maxLength: 6,
    });
    const word = fc.oneof(
      inner.map((parts) => `KEY_TOKEN=v${parts.join("")}`),
      inner.map((parts) => `KEY_TOKEN=v"${parts.join(" ")}"`),
      inner.map((parts) => `KEY_TOKEN='v ${parts.join(" ")}'`),
      inner.map((parts) => `"KEY_TOKEN=v ${parts.join(" \\\n ")}"`),
      inner.map((parts) => `'KEY_TOKEN=v\\\n${parts.join("")}'`),
      fc.constantFrom("A=b", '"C=d e"', "F='g'"),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), fc.constantFrom(" ", " \\\n  ", "\t"), (words, between) => {
        const text = `[Service]\nEnvironment=${words.join(between)}\nRestart=no\n`;
        const masked = maskSecrets(text);
        assert.ok(!masked.includes("canary"), `${text}\n→\n${masked}`);
        assert.ok(masked.endsWith("\nRestart=no\n"));
      }),
      { numRuns: 2000 },
    );
  });

  test("the longest files of the worst shapes are read in moments", () => {
    const size = 256 * 1024;
    const shapes = [
      "-----BEGIN PRIVATE KEY-----",
      "A_TOKEN: |\n ",
      "PASSWORD",
      "://a:",
      "eyJ",
      "eyJaaaaaaaa.",
      "_",
      "A_TOKEN: x ",
      "B_TOKEN='x ",
      "{ A_TOKEN: x, ",
      "password ",
      '"A_TOKEN=',
      "--token ",
    ];
    for (const shape of shapes) {
      const before = process.cpuUsage();
      maskSecrets(`'${shape.repeat(size / shape.length)}`);
      const { user, system } = process.cpuUsage(before);
      const took = (user + system) / 1000;
      // Reading it again for each name would take minutes.
      assert.ok(took < 4000, `${JSON.stringify(shape)}: ${took} ms`);
    }
  });
});
