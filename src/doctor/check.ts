import type { ExitCode } from "../errors.js";

/** What is looked at, in this order; of the way to the box, only what is on it. */
export const TITLES = {
	box: "box",
	configuration: "configuration",
	name: "name resolution",
	proxy: "jump host or proxy",
	connection: "TCP connection",
	tls: "TLS",
	ssh: "ssh server",
	"host-key": "host key",
	login: "login",
	route: "docker socket",
	engine: "engine",
	buildkit: "BuildKit",
	platform: "architecture",
	disk: "disk space",
	cache: "build cache",
	clock: "clock",
	streams: "streams at once",
	latency: "latency",
	upload: "upload",
	download: "download",
	registries: "registry logins",
} as const;

export type CheckId = keyof typeof TITLES;

/** What was found out. All texts are for people, one line each, and may hold what strangers say. */
export interface Finding {
	/** warning: builds work, though not as well as they could. skipped: nothing is known of it. */
	readonly state: "ok" | "warning" | "failed" | "skipped";
	readonly detail: string;
	/** What to do about it. */
	readonly fix?: string | undefined;
	/** What a build would end with because of it; absent where a plain build works all the same. */
	readonly exitCode?: ExitCode;
}

export interface Check extends Finding {
	readonly id: CheckId;
}

/** Hears of each check as soon as it is done. */
export type Tell = (check: Check) => void;
