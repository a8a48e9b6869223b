/**
 * Where to build, as the user named it and before anything is looked up. Docker contexts and TLS join
 * this union in an issue of their own.
 */
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
	| { readonly kind: "tcp"; readonly host: string; readonly port: number };

/** A target and the reason for it, which is shown to the user. */
export interface ChosenTarget {
	readonly target: Target;
	/** "--on", "RBUILD_ON", "DOCKER_HOST" or "local socket". */
	readonly chosenBy: string;
}
