/** Where docker's daemon listens unless it was told otherwise. */
export const DEFAULT_SOCKET = "/var/run/docker.sock";

/** A user's folders, as paths or as a shell writes them. */
interface SocketFolders {
	readonly home: string;
	/** $XDG_CONFIG_HOME. */
	readonly config: string;
	/** $XDG_RUNTIME_DIR. Absent where nobody says which it is. */
	readonly runtime: string | undefined;
}

/**
 * Where daemons are known to listen, those of docker before those of podman. What is in the runtime folder goes when
 * the user logs out, and comes before the home directory, where a daemon may have left its socket behind.
 * @returns paths in which "*" is any name
 */
export function daemonSockets({ home, config, runtime }: SocketFolders): readonly string[] {
	const running = (path: string) => (runtime ? [`${runtime}/${path}`] : []);
	return [
		DEFAULT_SOCKET,
		...running("docker.sock"),
		// Docker Desktop on macOS and on Linux, OrbStack, colima, Rancher Desktop, lima.
		`${home}/.docker/run/docker.sock`,
		`${home}/.docker/desktop/docker.sock`,
		`${home}/.orbstack/run/docker.sock`,
		`${home}/.colima/default/docker.sock`,
		`${config}/colima/default/docker.sock`,
		`${home}/.rd/docker.sock`,
		`${home}/.lima/*/sock/docker.sock`,
		...running("podman/podman.sock"),
		"/run/podman/podman.sock",
		`${home}/.local/share/containers/podman/machine/podman.sock`,
		`${home}/.lima/*/sock/podman.sock`,
	];
}
