import { statfs } from "node:fs/promises";
import prettyBytes from "pretty-bytes";
import type { BuildPlan } from "../build/plan/build-plan.js";
import { requireNative } from "../build/plan/builder-needs.js";
import { Control } from "../buildkit/control.js";
import { GrpcError } from "../buildkit/grpc/grpc-status.js";
import { fields } from "../engine/document.js";
import type { Engine } from "../engine/engine.js";
import { runsNatively } from "../engine/platforms.js";
import { EngineError, EXIT_CODES } from "../errors.js";
import type { Transport } from "../transport/transport.js";
import type { CheckId, Finding } from "./check.js";
import { download, latency, streams, upload } from "./link-checks.js";

/** A daemon that has answered. */
export interface Examined {
	readonly engine: Engine;
	readonly transport: Transport;
	readonly wish: Pick<BuildPlan, "platform" | "allowEmulation">;
	/** Whether its files are those of this machine. */
	readonly isLocal: boolean;
}

/** @throws RbuildError for what has no finding of its own; what the daemon answers is shown then */
type DaemonCheck = (examined: Examined, signal: AbortSignal) => Promise<Finding>;

/** In the order in which they are made: what measures the link does so while it is idle. */
export const DAEMON_CHECKS = {
	buildkit,
	platform,
	disk,
	cache,
	clock,
	streams,
	latency,
	upload,
	download,
} as const satisfies Partial<Record<CheckId, DaemonCheck>>;

/** Less than a usual build with its base image takes, in bytes. */
const LITTLE_SPACE = 5e9;

/** So little that no build can write even its Dockerfile there, in bytes. */
const NO_SPACE = 4e6;

/** Makes and certificates begin to mind, in milliseconds. */
const MUCH_SKEW = 30_000;

async function buildkit({ engine }: Examined, signal: AbortSignal): Promise<Finding> {
	const { builder, product } = engine.facts;
	if (product === "podman") {
		return {
			state: "warning",
			detail: "Podman builds with Buildah: everything is sent each time, no ssh mounts",
			fix: "build on a box with Docker for those",
		};
	}
	if (builder === "classic") {
		return {
			state: "failed",
			detail: "the classic builder: everything is sent each time, no secrets, no ssh mounts",
			fix: 'turn BuildKit on in that daemon\'s daemon.json, and restart it: {"features": {"buildkit": true}}',
		};
	}
	const platforms = await builderPlatforms(engine, signal);
	return platforms instanceof Error
		? { state: "failed", detail: platforms.message, fix: "look at the daemon's log there" }
		: { state: "ok", detail: "answers" };
}

async function platform({ engine, wish }: Examined, signal: AbortSignal): Promise<Finding> {
	const own = engine.facts.platform;
	const known = engine.facts.builder === "buildkit" && (await builderPlatforms(engine, signal));
	const all = known instanceof Error || known === false ? undefined : known;
	const emulated = all?.filter((one) => !runsNatively(one, own));
	const emulators =
		emulated === undefined
			? "emulators unknown"
			: emulated.length === 0
				? "no emulators"
				: `emulates ${emulated.join(", ")}`;
	const detail = `${own}; ${emulators}`;
	try {
		requireNative(wish, engine);
	} catch (error) {
		if (!(error instanceof EngineError)) throw error;
		return {
			state: "failed",
			detail: `${error.message}; ${emulators}`,
			fix: error.hint,
			exitCode: EXIT_CODES.engine,
		};
	}
	const wanted = wish.platform;
	const isMissing =
		wanted !== undefined && !runsNatively(wanted, own) && emulated?.includes(wanted) === false;
	if (!isMissing) return { state: "ok", detail };
	return {
		state: "failed",
		detail: `${own} has no emulator for ${wanted}; ${emulators}`,
		fix: "install QEMU there: docker run --privileged --rm tonistiigi/binfmt --install all",
		exitCode: EXIT_CODES.engine,
	};
}

/** Docker does not tell what is free: this machine's own disk can be asked, and over ssh a shell, if there is one. */
async function disk(
	{ engine, transport, isLocal }: Examined,
	signal: AbortSignal,
): Promise<Finding> {
	const info = fields(await engine.json({ method: "GET", path: "/info", signal }));
	const folder = typeof info.DockerRootDir === "string" ? info.DockerRootDir : "";
	const free = isLocal ? await freeHere(folder) : await freeThere(folder, transport, signal);
	if (free === undefined) {
		return { state: "skipped", detail: `cannot tell what is free in ${folder}` };
	}
	const detail = `${prettyBytes(free)} free in ${folder}`;
	const fix = "make room there: docker system prune";
	if (free < NO_SPACE) return { state: "failed", detail, fix, exitCode: EXIT_CODES.buildFailed };
	return free < LITTLE_SPACE ? { state: "warning", detail, fix } : { state: "ok", detail };
}

/** Bytes, as all below. */
async function freeHere(folder: string): Promise<number | undefined> {
	const space = await statfs(folder).catch(() => undefined);
	return space && space.bavail * space.bsize;
}

/** POSIX's form of df(1): size, used and available in KiB, then how full it is. */
async function freeThere(
	folder: string,
	transport: Transport,
	signal: AbortSignal,
): Promise<number | undefined> {
	if (transport.ask === undefined || !/^\/[\w./-]*$/.test(folder)) return undefined;
	const output = await transport.ask(`df -Pk ${folder}`, signal);
	const [, available] = /\s\d+\s+\d+\s+(\d+)\s+\d+%\s/.exec(output) ?? [];
	return available === undefined ? undefined : Number(available) * 1024;
}

async function cache({ engine }: Examined, signal: AbortSignal): Promise<Finding> {
	if (engine.facts.builder !== "buildkit") {
		return { state: "skipped", detail: "it has none beside its images" };
	}
	// Docker 23 (API 1.42) counts nothing but what it is asked for.
	const query = { type: "build-cache" };
	const usage = await engine.json({ method: "GET", path: "/system/df", query, signal });
	const { BuildCache } = fields(usage);
	const records = Array.isArray(BuildCache) ? BuildCache.map(fields) : [];
	const size = records
		.filter(({ Shared }) => Shared !== true)
		.reduce((sum, { Size }) => sum + (typeof Size === "number" ? Size : 0), 0);
	return { state: "ok", detail: `${prettyBytes(size)} in ${records.length} entries` };
}

async function clock({ engine }: Examined, signal: AbortSignal): Promise<Finding> {
	const askedAt = Date.now();
	const info = fields(await engine.json({ method: "GET", path: "/info", signal }));
	const theirs = Date.parse(String(info.SystemTime));
	if (Number.isNaN(theirs))
		return { state: "skipped", detail: "the daemon does not tell its time" };
	const now = Date.now();
	// It looked at its clock at some moment in between.
	const skew = Math.max(0, theirs - now) + Math.min(0, theirs - askedAt);
	const seconds = Math.round(Math.abs(skew) / 1000);
	if (Math.abs(skew) < MUCH_SKEW) return { state: "ok", detail: "the same as here" };
	return {
		state: "warning",
		detail: `${seconds} s ${skew > 0 ? "ahead of" : "behind"} this machine's`,
		fix: "set the one that is wrong; on Linux: sudo timedatectl set-ntp true",
	};
}

/** What its steps can be run for; or why BuildKit does not say. */
async function builderPlatforms(
	engine: Engine,
	signal: AbortSignal,
): Promise<readonly string[] | Error> {
	try {
		using control = await Control.open(engine, signal);
		return await control.platforms(signal);
	} catch (error) {
		if (error instanceof GrpcError || error instanceof EngineError) return error;
		throw error;
	}
}
