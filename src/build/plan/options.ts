import type { Ulimit } from "../../engine/build-request.js";
import type { TargetOptions } from "../../target/choose-target.js";

export type { Ulimit };

/** Who pushes an image. */
export type PushVia = "daemon" | "client";

export type TransferChoice = "auto" | "sync" | "tar";

/** What to do about files of the context that look like credentials. */
export type SecretsCheck = "warn" | "deny" | "off";

/** A secret for `RUN --mount=type=secret,id=…`. */
export interface SecretOption {
	readonly id: string;
	/** The file that holds it. Absent, as `env`: a variable named as the id, else a file of that name. */
	readonly src?: string;
	/** The environment variable that holds it. */
	readonly env?: string;
}

/** What `RUN --mount=type=ssh,id=…` reaches. */
export interface SshOption {
	/** "default" is that of mounts without an id. */
	readonly id: string;
	/** The socket of an agent, or private keys; absent: the agent of SSH_AUTH_SOCK. */
	readonly paths?: readonly string[];
	/** Let steps send anything to the socket; absent: they may list keys and sign with them. */
	readonly raw?: boolean;
}

/** How often a lost connection is made anew where nothing else is said. */
export const DEFAULT_RETRIES = 2;

/** What a build can be told. The command line maps its flags onto these, one to one. */
export interface BuildOptions extends TargetOptions {
	/** The build context: a directory, "-" for standard input, or a git or http URL. */
	readonly context: string;
	/** The Dockerfile, relative to the working directory; "-" for standard input. */
	readonly file?: string;
	/**
	 * Where to build: a docker context, an ssh alias, `user@host[:port]`,
	 * `ssh://user@host:port[/docker.sock]`, `unix:///path` or `tcp://host:port`. Of several, the first to
	 * answer that runs `platform` natively; "auto" is all docker contexts, the local daemon and RBUILD_ON.
	 * Absent: RBUILD_ON, DOCKER_HOST, DOCKER_CONTEXT, docker's current context, then a local socket.
	 */
	readonly on?: string | readonly string[];
	/** Image names, such as "ghcr.io/me/app:1.2". */
	readonly tags?: readonly string[];
	/** The stage to build; absent: the last one. */
	readonly target?: string;
	/**
	 * Values for ARG; `null` takes the environment's value, if it has one. SOURCE_DATE_EPOCH and the proxies
	 * of docker's config.json are added, as docker does.
	 */
	readonly buildArgs?: Readonly<Record<string, string | null>>;
	readonly labels?: Readonly<Record<string, string>>;
	/**
	 * An OCI platform, such as "linux/amd64"; absent: DOCKER_DEFAULT_PLATFORM, or the daemon's own. Of several
	 * ("linux/amd64,linux/arm64", or a list), each is built on the first box of `on` to answer that runs it
	 * natively.
	 */
	readonly platform?: string | readonly string[];
	/** Build for a platform that the daemon's machine can only emulate. */
	readonly allowEmulation?: boolean;
	readonly noCache?: boolean;
	/** Always ask the registries for newer base images. */
	readonly pull?: boolean;
	/** The network of RUN steps: "default", "none", "host", or one that the classic builder knows. */
	readonly network?: string;
	/** Lines for /etc/hosts, as "name:address" or "name=address". */
	readonly addHosts?: readonly string[];
	/** The size of /dev/shm in bytes. */
	readonly shmSize?: number;
	readonly ulimits?: readonly Ulimit[];
	readonly cgroupParent?: string;
	/**
	 * How the context gets to the daemon: "tar" sends all of it (but see `minimal`), "sync" what the daemon does
	 * not have (BuildKit only). Absent: "auto".
	 */
	readonly transfer?: TransferChoice;
	/**
	 * Whether a tar leaves out what the Dockerfile takes nothing of. Absent: where it is proven that the image
	 * is the same; true: there too, with a warning where it is not.
	 */
	readonly minimal?: boolean;
	/**
	 * How often a connection that was lost is made anew, to go on with the build, and how often a build is made
	 * again of which the daemon has lost something; absent: 2.
	 */
	readonly retries?: number;
	/** Images whose layers may be reused, and other caches. */
	readonly cacheFrom?: readonly (string | CacheOption)[];
	/** Where to put what a later build may reuse. */
	readonly cacheTo?: readonly CacheOption[];
	/** Stages of which no cached layers are used. */
	readonly noCacheFilter?: readonly string[];
	/**
	 * More contexts, by the name that `FROM` and `COPY --from` use: a directory, "docker-image://…",
	 * "oci-layout://FOLDER[:TAG][@DIGEST]", or a git or http URL.
	 */
	readonly buildContexts?: Readonly<Record<string, string>>;
	/** OCI annotations; a key may say of what, as "manifest:org.example.key" or "index:…". */
	readonly annotations?: Readonly<Record<string, string>>;
	/** What to say of how the image was made: "provenance" and "sbom", each with its parameters. */
	readonly attestations?: Readonly<Record<string, Readonly<Record<string, string>>>>;
	/** What steps may do beside the usual: "network.host", "security.insecure", "device" or "device=NAME". */
	readonly allow?: readonly string[];
	/** What steps may read while they run; BuildKit only. */
	readonly secrets?: readonly SecretOption[];
	/**
	 * Before anything is sent, look for files that hold credentials by their names: "warn", "deny" fails
	 * with a ContextError, "off" does not look. Absent: "warn". An archive or URL is not looked into.
	 */
	readonly secretsCheck?: SecretsCheck;
	/** Keys that steps may log in with while they run; BuildKit only. */
	readonly ssh?: readonly SshOption[];
	/**
	 * What names the context to the daemon, which keeps its files under that name. Absent:
	 * RBUILD_CONTEXT_KEY, the git remote and the folder within it, or the path. Without effect, and with a warning,
	 * where `contextIndex` is false: files are then kept by this machine and folder.
	 */
	readonly contextKey?: string;
	/** False: what was sent before is told by the times of the files alone, and for this folder alone. */
	readonly contextIndex?: boolean;
	/** Push every tag. */
	readonly push?: boolean;
	/**
	 * Who pushes: the daemon, or this side, which the image comes to by those layers that it has not got.
	 * Absent: "daemon".
	 */
	readonly via?: PushVia;
	/**
	 * Write the image to this file, as `docker load` takes it; ".gz" and ".zst" compress, "-" is the
	 * standard output. Where there are several, the image is written to each.
	 */
	readonly save?: string | SaveOption | readonly (string | SaveOption)[];
	/** Load the image into the local daemon. */
	readonly load?: boolean;
	/** What to make of the build; absent: an image in the daemon's store. */
	readonly outputs?: readonly OutputOption[];
}

/** As `--save type=oci,dest=…`. */
export interface SaveOption {
	/** "docker": a tar for `docker load`. "oci": an OCI image layout. */
	readonly type: "docker" | "oci";
	/** A file; "-" is the standard output. An OCI layout whose name is not a tar's becomes a folder. */
	readonly dest: string;
}

/** As `docker buildx build --output type=…,dest=…,…`. */
export interface OutputOption {
	/**
	 * "local" (the files, in a folder), "tar", "oci", "docker" (an image, in a file or else loaded into
	 * the local daemon), "image", "registry" or "cacheonly" (nothing).
	 */
	readonly type: string;
	/** A folder or file; "-" is the standard output, and what "tar" and "oci" go to without it. */
	readonly dest?: string;
	/** Such as `{ name: "app", push: "true" }` for "image". */
	readonly attrs?: Readonly<Record<string, string>>;
}

/**
 * As `--cache-to type=registry,ref=…`; the attributes are BuildKit's. "gha" has those of the job that it is part of,
 * by the environment's ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL.
 */
export interface CacheOption {
	/** "local" (a folder on this side), "inline", "registry", "gha". */
	readonly type: string;
	readonly attrs?: Readonly<Record<string, string>>;
}
