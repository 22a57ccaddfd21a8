import type {
  AccessFacts,
  CertificateFacts,
  EndpointFacts,
  StoreFacts,
} from "../domain/doctor/registry-check-facts.ts";

/** Looks at the registry behind an address, for `fleet registry check`. None changes anything; each rejects with OperationError. */
export interface RegistryProbes {
  /** Each for itself, in the order of the address; rejects never for one that is away. */
  endpoints(): Promise<readonly EndpointFacts[]>;
  store(): Promise<StoreFacts>;
  access(): Promise<AccessFacts>;
  /** The servers', ours and the authority's; none where there is no TLS. */
  certificates(): Promise<readonly CertificateFacts[]>;
}
