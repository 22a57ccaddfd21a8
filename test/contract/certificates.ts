import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TlsFiles } from "../../src/adapters/etcd/tls-files.ts";

/** An authority of its own in a folder of its own, and certificates it signs, by openssl: nobody who checks them shares our code. */
export class TestAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), "fleet-authority-"));
  readonly authority = this.#file("ca.crt");

  constructor() {
    this.#openssl("req", "-x509", ...NEW_KEY, "-subj", "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt");
    writeFileSync(this.#file("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  }

  /** A certificate with that common name, of a server on this machine or of a client. `days` may be 0: it ends as soon as it is made. */
  issue(name: string, days = 30): Required<TlsFiles> {
    this.#openssl("req", ...NEW_KEY, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", String(days)];
    this.#openssl("x509", "-req", "-in", `${name}.csr`, ...signed, "-out", `${name}.crt`);
    return { authority: this.authority, certificate: this.#file(`${name}.crt`), key: this.#file(`${name}.key`) };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #openssl(...words: string[]): void {
    execFileSync("openssl", words, { cwd: this.#folder, stdio: "pipe" });
  }
}

/** P-256: RSA keys take openssl half a second each. */
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
