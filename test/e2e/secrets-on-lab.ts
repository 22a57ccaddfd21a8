import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { decryptSecret, encryptSecret } from "../../src/adapters/secrets/age-files.ts";
import { type NodeKey, parseNodeKey } from "../../src/domain/identity/node-key.ts";
import type { ClusterOnLab } from "./cluster-on-lab.ts";

const UNIT = "vault.service";
const [FILE, FILES, SECRET] = [`units/vault/${UNIT}`, "units/vault/files", "units/vault/secrets/db.age"];
const VALUE = `/run/fleet/secrets/${UNIT}/db`;
const GOT = "/run/vault-got";
/** One by fleet, and one that its own systemd sealed. */
const CREDENTIALS =
  "LoadCredential=db:/run/fleet/secrets/%n/db\nLoadCredentialEncrypted=own:/var/lib/fleet/files/%n/own.cred\n";
const vault = `[Service]\n${CREDENTIALS}ExecStart=/bin/sh -c 'cp "$$CREDENTIALS_DIRECTORY/db" ${GOT}; cp "$$CREDENTIALS_DIRECTORY/own" ${GOT}-own; exec sleep infinity'\n`;

/** What the lab shows of secrets on one machine of systemd, whose repository's manifest is `manifest`. */
export async function trySecrets(
  cluster: ClusterOnLab,
  machine: string,
  manifest: string,
  release: (files: Readonly<Record<string, string | null>>) => Promise<void>,
): Promise<void> {
  const inside = (script: string) => cluster.inside(machine, "sh", "-euc", script);
  const invocation = () => inside(`systemctl show -P InvocationID ${UNIT}`);
  const [own, other] = [keyPair(), keyPair()];
  await inside(
    `umask 077; mkdir -p /var/lib/fleet/identity; echo ${Buffer.from(own.pem).toString("base64")} | base64 -d > /var/lib/fleet/identity/key.pem`,
  );
  const { id } = (await cluster.status()).members[0]!;
  const listed = (more: string) => `${manifest}machines:\n  ${machine}: { id: ${id}, key: "${own.key}" }\n${more}`;
  const canaries = [0, 1].map(() => randomBytes(18).toString("hex"));
  const sealed = (canary: string, machines: readonly NodeKey[], version: string) =>
    encryptSecret(Buffer.from(canary), { machines, people: [] }, version);

  const cred = await inside("printf by-systemd | systemd-creds encrypt --with-key=host --name=own - -");
  const first = await sealed(canaries[0]!, [own.key], "first");
  await release({ "fleet.yaml": listed(""), [FILE]: vault, [`${FILES}/own.cred`]: cred, [SECRET]: first });
  assert.equal(await inside(`cat ${GOT}`), canaries[0], "it is given to its unit as a credential");
  assert.equal(
    await inside(`cat ${GOT}-own`),
    "by-systemd",
    "what systemd sealed on this machine is a file like others",
  );
  assert.equal(await inside(`stat -c '%a %U' ${VALUE} /run/fleet/secrets`), "600 root\n700 root\n");
  assert.match(await inside("findmnt -no FSTYPE -T /run/fleet/secrets"), /tmpfs/);

  const started = await invocation();
  const value = await decryptSecret(first, [{ machine: own.privateKey, key: own.key }]);
  const anew = await encryptSecret(value, { machines: [own.key, other.key], people: [] }, "first");
  await release({ [SECRET]: anew });
  assert.equal(await invocation(), started, "only encrypted anew, it restarts nothing");

  await release({ [SECRET]: await sealed(canaries[1]!, [own.key], "second") });
  assert.notEqual(await invocation(), started);
  assert.equal(await inside(`cat ${GOT}`), canaries[1]);

  await cluster.commit("a machine without a key", { "fleet.yaml": listed(`  m9: { id: ${"9".repeat(32)} }\n`) });
  const refused = await cluster.fleet("plan");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /vault\.service may run on m9, which cannot read the secret db/);
  await cluster.commit("without it", { "fleet.yaml": listed("") });

  const shown = await Promise.all(
    [["status", "--json"], ["why", UNIT], ["history"], ["plan", "--json"], ["cat", UNIT], ["registry", "state"]].map(
      (words) => cluster.fleet(...words),
    ),
  );
  const told = shown.map(({ stdout, stderr }) => stdout + stderr).join("");
  assert.match(told, /vault\.service/);
  const journal = await inside("journalctl -q -b -o json -u fleet-agent -u fleet-engine -u fleet-registry");
  const spread = canaries.map((canary) => `-e ${canary}`).join(" ");
  // Where daemons, systemd and the registry keep things, and the repository that the lab shares.
  const kept = await inside(
    `grep -rls ${spread} /var/lib /var/log /etc /run/fleet-agent /run/systemd/system /opt/fleet/shared || true`,
  );
  assert.equal(kept, "");
  for (const canary of canaries) assert.ok(!told.includes(canary) && !journal.includes(canary));
}

function keyPair() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  return { privateKey, pem, key: parseNodeKey(`ed25519:${publicKey.export({ format: "jwk" }).x}`)! };
}
