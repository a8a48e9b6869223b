/** Where to build, before anything is called. */
export type Target =
	| {
			readonly kind: "ssh";
			/** A host name, an address or an alias from ssh_config. */
			readonly host: string;
			/** Absent: ssh_config decides. */
			readonly user?: string;
			readonly port?: number;
			/** The daemon's socket on that machine; absent: docker's default there. */
			readonly socketPath?: string;
	  }
	| { readonly kind: "unix"; readonly socketPath: string }
	| {
			readonly kind: "tcp";
			readonly host: string;
			readonly port: number;
			/** The user knows that whoever reaches it is root there. Loopback needs no such leave. */
			readonly insecure?: boolean;
	  }
	| {
			readonly kind: "tls";
			readonly host: string;
			readonly port: number;
			readonly tls: TlsFiles;
	  };

/** Absolute paths of PEM files. */
export interface TlsFiles {
	/** The only authorities that are trusted; absent: the usual ones. */
	readonly ca?: string | undefined;
	/** What this side shows of itself, if the daemon wants to see something. */
	readonly certificate?: string | undefined;
	readonly key?: string | undefined;
	/** False: whatever certificate the daemon shows is taken. */
	readonly verify: boolean;
}

/** A target and the reason for it, which is shown to the user. */
export interface ChosenTarget {
	readonly target: Target;
	/** Such as "--on", "DOCKER_HOST", "local socket" or 'docker context "x86box", by --on'. */
	readonly chosenBy: string;
}
