import { ConnectionError, type ConnectionFailure } from "../errors.js";
import type { BuildEvent, ReachEvent, WarningEvent } from "../events.js";
import { formatTarget } from "../target/parse-target.js";
import type { ChosenTarget } from "../target/target.js";
import type { readTransportSettings } from "../transport/open-transport.js";
import { placeOf } from "../transport/ssh/ssh-link.js";
import type { CheckId, Finding } from "./check.js";
import type { Checklist } from "./checklist.js";

type Settings = Awaited<ReturnType<typeof readTransportSettings>>;

const STEPS: Readonly<Record<ReachEvent["step"], CheckId>> = {
	tcp: "connection",
	tls: "tls",
	ssh: "ssh",
	"host-key": "host-key",
	login: "login",
};

/** Failures that can have happened at one place only, however little was heard before. */
const TELLING: Partial<Record<ConnectionFailure, readonly CheckId[]>> = {
	unresolved: ["name"],
	certificate: ["tls"],
	busy: ["ssh"],
	"host-key-unknown": ["host-key"],
	"host-key-changed": ["host-key"],
	// A daemon says of a client certificate only after the handshake what it thinks of it.
	"not-authenticated": ["login", "tls"],
	"docker-not-installed": ["route"],
	"socket-missing": ["route"],
	"socket-permission": ["route"],
};

/** The checks between this machine and the daemon. A jump host or a proxy resolves the name, and connects. */
export function checksOfWay({ target }: ChosenTarget, settings: Settings): readonly CheckId[] {
	switch (target.kind) {
		case "unix":
			return ["route"];
		case "tcp":
			return ["name", "connection", "route"];
		case "tls":
			return ["configuration", "name", "connection", "tls", "route"];
		case "ssh": {
			const isProxied = settings?.kind === "ssh" && settings.ssh.proxy !== undefined;
			const start: readonly CheckId[] = isProxied ? ["proxy"] : ["name", "connection"];
			return ["configuration", ...start, "ssh", "host-key", "login", "route"];
		}
	}
}

/** Follows a connection that is made by its news, and finds out where it failed. */
export class Way {
	readonly #list: Checklist;
	/** By what the events name the box; those of jump hosts are not about it. */
	readonly #place: string;
	/** Of the step that is going on. */
	#warning: WarningEvent | undefined;

	constructor({ target }: ChosenTarget, settings: Settings, list: Checklist) {
		this.#list = list;
		this.#place = settings?.kind === "ssh" ? placeOf(settings.ssh) : formatTarget(target);
	}

	hear(event: BuildEvent): void {
		if (event.type === "warning") this.#warning = event;
		if (event.type !== "reach" || event.place !== this.#place) return;
		const { step, detail } = event;
		if (step === "tcp" && this.#list.has("proxy")) {
			this.#list.found("proxy", this.#good(detail));
			return;
		}
		if (step === "tcp") this.#list.hold("name", { state: "ok", detail: hostOf(detail) });
		if (step === "tls") this.#list.hold("tls", this.#good(detail));
		else this.#list.found(STEPS[step], this.#good(detail));
	}

	/** @param route such as "ssh, streamlocal" */
	arrived(route: string): void {
		this.#list.hold("route", this.#good(route));
	}

	#good(detail: string): Finding {
		const warning = this.#warning;
		this.#warning = undefined;
		return warning === undefined
			? { state: "ok", detail }
			: { state: "warning", detail: warning.message, fix: warning.hint };
	}
}

/** Which of the checks a failure is about. */
export function failedCheck(error: Error, list: Checklist): CheckId {
	const telling = error instanceof ConnectionError ? (TELLING[error.failure] ?? []) : [];
	// What a jump host says is about itself.
	if (list.next === "proxy") return "proxy";
	const known = telling.find((id) => list.has(id));
	if (known !== undefined) return known;
	const next = list.next ?? "engine";
	if (next !== "name") return next;
	// A name that does not resolve would have said so.
	list.hold("name", { state: "ok", detail: "resolves" });
	return "connection";
}

/** Of "10.0.0.5:22" or "[::1]:22". */
function hostOf(address: string): string {
	return address.replace(/:\d+$/, "");
}
