/** PEM files for `etcds://`; read again on each connect, so that renewed certificates need no restart. */
export interface TlsFiles {
  /** Who may have signed the server's certificate; the system's authorities where not given. */
  readonly authority?: string;
  /** Our own certificate and its key: both or neither. */
  readonly certificate?: string;
  readonly key?: string;
}
