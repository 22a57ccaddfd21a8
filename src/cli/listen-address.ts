import { DEFAULT_FRONT_PORT } from "../adapters/hub/hub-address.ts";
import { OperationError } from "../ports/operation-error.ts";

/** `0.0.0.0:7440`, `[::]:7440`, `nas.lan`, `:7440`: where an engine serves machines. No host is all of this machine's addresses. */
export function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[A-Za-z0-9._-]*))(?::(?<port>\d{1,5}))?$/.exec(text);
  const { six, host, port = String(DEFAULT_FRONT_PORT) } = match?.groups ?? {};
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  if (match !== null && isPort && text !== "") return { host: six ?? (host || "::"), port: Number(port) };
  throw new OperationError("bad-address", `--listen ${text} is no address to listen on`, {
    next: "write host:port, as in 0.0.0.0:7440, [::]:7440 or :7440",
  });
}
