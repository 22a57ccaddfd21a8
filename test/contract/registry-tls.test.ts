import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createServer, type Server } from "node:tls";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import type { TlsFiles } from "../../src/adapters/etcd/tls-files.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import { EtcdProcess } from "./etcd-process.ts";

/** etcd behind TLS that asks for client certificates, as etcd itself does with --client-cert-auth. */
let etcd: EtcdProcess;
let front: Server;
let address: string;
const folder = mkdtempSync(join(tmpdir(), "fleet-tls-"));
const file = (name: string) => join(folder, name);

function openssl(...words: string[]): void {
  execFileSync("openssl", words, { cwd: folder, stdio: "pipe" });
}

function makeAuthority(name: string): void {
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    `/CN=${name}`,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.crt`,
  );
}

function makeCertificate(name: string, authority: string): void {
  openssl(
    "req",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    `/CN=${name}`,
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.csr`,
  );
  writeFileSync(file("names"), "subjectAltName=DNS:localhost\n");
  const signed = ["-CA", `${authority}.crt`, "-CAkey", `${authority}.key`, "-CAcreateserial", "-extfile", "names"];
  openssl("x509", "-req", "-in", `${name}.csr`, ...signed, "-out", `${name}.crt`);
}

before(async () => {
  etcd = await EtcdProcess.start("3.4");
  for (const name of ["ours", "foreign"]) makeAuthority(name);
  makeCertificate("server", "ours");
  makeCertificate("agent", "ours");
  makeCertificate("stranger", "foreign");
  const [key, cert, ca] = ["server.key", "server.crt", "ours.crt"].map((name) => readFileSync(file(name)));
  const options = {
    key: key!,
    cert: cert!,
    ca: ca!,
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ["h2"],
  };
  front = createServer(options, (client) => {
    const server = connect(etcd.port, "127.0.0.1");
    client.pipe(server).pipe(client);
    for (const [socket, peer] of [[client, server] as const, [server, client] as const]) {
      socket.on("error", () => {});
      socket.on("close", () => peer.destroy());
    }
  }).listen(0, "localhost");
  await once(front, "listening");
  address = `etcds://localhost:${(front.address() as AddressInfo).port}`;
});
after(async () => {
  front?.close();
  await etcd?.remove();
  rmSync(folder, { recursive: true });
});

const agent: TlsFiles = { authority: file("ours.crt"), certificate: file("agent.crt"), key: file("agent.key") };

async function attempt(tls: TlsFiles): Promise<number> {
  const registry = await openRegistry(address, { clock: systemClock, tls });
  try {
    return (await registry.list("/")).revision;
  } finally {
    await registry.close();
  }
}
const hasCode = (code: string) => (error: unknown) => error instanceof OperationError && error.code === code;

test("a certificate of the authority opens the registry", async () => {
  assert.equal(await attempt(agent), 1);
});

test("no certificate, a stranger's, or an unknown authority does not", async () => {
  const stranger = { ...agent, certificate: file("stranger.crt"), key: file("stranger.key") };
  const refused: TlsFiles[] = [
    { authority: agent.authority! },
    stranger,
    { ...agent, authority: file("foreign.crt") },
    {},
  ];
  for (const tls of refused) await assert.rejects(attempt(tls), hasCode("registry-unreachable"));
});

test("files that are missing or broken are named as such", async () => {
  await assert.rejects(attempt({ ...agent, key: file("none.key") }), hasCode("registry-tls-invalid"));
  writeFileSync(file("broken.crt"), "no certificate");
  await assert.rejects(attempt({ ...agent, certificate: file("broken.crt") }), hasCode("registry-tls-invalid"));
});

test("a certificate that was renewed is used from the next connect on", async () => {
  const [certificate, key] = [file("renewed.crt"), file("renewed.key")];
  copyFileSync(file("stranger.crt"), certificate);
  copyFileSync(file("stranger.key"), key);
  const registry = await openRegistry(address, { clock: systemClock, tls: { ...agent, certificate, key } });
  await assert.rejects(registry.list("/"), hasCode("registry-unreachable"));
  copyFileSync(agent.certificate!, certificate);
  copyFileSync(agent.key!, key);
  assert.equal((await registry.list("/")).revision, 1);
  await registry.close();
});
